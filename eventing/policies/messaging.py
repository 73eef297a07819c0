"""Rules about events: delivery, brokers, who may talk to whom."""

from collections.abc import Mapping
from typing import Any

from eventing.local.manifests.fields import seconds
from eventing.policies.objects import (
    BROKER,
    KNATIVE_SERVICE,
    TRIGGER,
    Document,
    Found,
    Objects,
    name_of,
    pod_of,
)

DELIVERY = ("retry", "backoffPolicy", "backoffDelay", "timeout", "deadLetterSink")
EVENT_POLICY = "eventing.knative.dev/v1alpha1 EventPolicy"
LAST = "deadletters"
"""The function behind which there is none: its own dead letters would come back to it."""

CLASS = "eventing.knative.dev/broker.class"
REPLICAS = "default.topic.replication.factor"
REPLICAS_MIN = 3
"""One broker may be lost while another is restarted."""

METADATA = "169.254.0.0/16"
ANYWHERE: Mapping[str, Any] = {"cidr": "0.0.0.0/0"}


def triggers_say_all_of_delivery(objects: Objects) -> Found:
    """A Trigger's delivery replaces the Broker's as a whole: what it leaves out is gone."""
    for trigger in objects.of(TRIGGER):
        given = trigger["spec"].get("delivery") or {}
        for name in DELIVERY:
            if name not in given and not (name == "deadLetterSink" and _to(trigger) == LAST):
                yield trigger, f"spec.delivery.{name}", "set it: nothing is taken from the Broker"
        if given.get("retry") == 0 or given.get("backoffDelay") == "PT0S":
            yield trigger, "spec.delivery", "retry, with a delay: an event is not worth nothing"


def deliveries_outlast_their_handlers(objects: Objects) -> Found:
    """A delivery that times out before its handler is repeated while the handler works."""
    for trigger in objects.of(TRIGGER):
        service = objects.named(KNATIVE_SERVICE, _to(trigger))
        timeout = (trigger["spec"].get("delivery") or {}).get("timeout")
        if service and timeout and seconds(timeout) < pod_of(service).get("timeoutSeconds", 300):
            yield trigger, "spec.delivery.timeout", \
                f"make it longer than timeoutSeconds of {name_of(service)}"


def references_exist(objects: Objects) -> Found:
    """What events are sent to exists: a name that is not there is a dead letter, or a loss."""
    for trigger in objects.of(TRIGGER):
        if not objects.named(BROKER, trigger["spec"]["broker"]):
            yield trigger, "spec.broker", f"there is no Broker {trigger['spec']['broker']}"
        yield from _lost(objects, trigger, "spec.subscriber", trigger["spec"]["subscriber"])
    for owner in objects.of(TRIGGER, BROKER):
        sink = (owner["spec"].get("delivery") or {}).get("deadLetterSink")
        yield from _lost(objects, owner, "spec.delivery.deadLetterSink", sink or {})
    for source in objects.of("sources.knative.dev/v1 PingSource"):
        yield from _lost(objects, source, "spec.sink", source["spec"]["sink"])


def shared_brokers_keep_events(objects: Objects) -> Found:
    """A shared environment's events are in Kafka, on enough brokers."""
    if not objects.is_shared:
        return
    for broker in objects.of(BROKER):
        if (broker["metadata"].get("annotations") or {}).get(CLASS) != "Kafka":
            yield broker, f"metadata.annotations.{CLASS}", "use Kafka: memory forgets"
        config = objects.named("v1 ConfigMap", (broker["spec"].get("config") or {}).get("name", ""))
        copies = (config or {}).get("data", {}).get(REPLICAS, "0")
        if config and not (copies.isdecimal() and int(copies) >= REPLICAS_MIN):
            yield config, f"data.{REPLICAS}", f"keep {REPLICAS_MIN} copies or more"


def shared_networks_are_closed(objects: Objects) -> Found:
    """A shared environment's pods talk to whom they must; the Broker takes events of its own."""
    if not objects.is_shared:
        return
    namespace = next(objects.of("v1 Namespace"), {"kind": "Namespace", "metadata": {}})
    policies = [*objects.of("networking.k8s.io/v1 NetworkPolicy")]
    if not any(_denies_all(policy["spec"]) for policy in policies):
        yield namespace, "NetworkPolicy", "deny by default: components/network-policies"
    guarded = {to["ref"]["name"] for policy in objects.of(EVENT_POLICY)
               for to in policy["spec"].get("to", ()) if "ref" in to}
    for broker in objects.of(BROKER):
        if name_of(broker) not in guarded:
            yield broker, "EventPolicy", "say who may send: components/event-policies"


def metadata_is_out_of_reach(objects: Objects) -> Found:
    """No policy opens the way to the cloud's metadata, and with it to a node's credentials."""
    for policy in objects.of("networking.k8s.io/v1 NetworkPolicy"):
        for rule in policy["spec"].get("egress") or ():
            blocks = [to["ipBlock"] for to in rule.get("to") or ({"ipBlock": ANYWHERE},)
                      if "ipBlock" in to]
            if any(b["cidr"] == "0.0.0.0/0" and METADATA not in b.get("except", ())
                   for b in blocks):
                yield policy, "spec.egress", f"except {METADATA}"


def _denies_all(spec: Mapping[str, Any]) -> bool:
    return (spec.get("podSelector") == {} and not spec.get("ingress") and not spec.get("egress")
            and {"Ingress", "Egress"} <= set(spec.get("policyTypes", ())))


def _to(trigger: Document) -> str:
    return str((trigger["spec"].get("subscriber", {}).get("ref") or {}).get("name"))


def _lost(objects: Objects, owner: Document, field: str, to: Mapping[str, Any]) -> Found:
    ref = to.get("ref")
    if ref and not objects.named(f"{ref['apiVersion']} {ref['kind']}", ref["name"]):
        yield owner, f"{field}.ref.name", f"there is no {ref['kind']} {ref['name']}"


RULES = (
    triggers_say_all_of_delivery, deliveries_outlast_their_handlers, references_exist,
    shared_brokers_keep_events, shared_networks_are_closed, metadata_is_out_of_reach)
