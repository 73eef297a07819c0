"""Every rule finds what breaks it, says where and what to do, and finds nothing else."""

import copy

import pytest

from eventing.policies.check import RULES, check
from tests.goldens import NAMES, golden

SPEC = "spec.template.spec"
CONTAINER = f"{SPEC}.containers.0"
SCALE = "spec.template.metadata.annotations.autoscaling.knative.dev"
CALCULATOR, LEDGER = "Service calculator", "Service ledger"
TRIGGER = "Trigger calculator-tool-requested"
GONE = object()

# rule, object, path into it, new value, field of the violation, a word of what to do
CASES = [
    ("fields-are-known", TRIGGER, "spec/filters/0/exactt", {"type": "x"}, "spec.filters.0.exactt",
     "unknown"),
    ("fields-are-known", "Broker default", "spec/delivery/retri", 3, "spec.delivery.retri",
     "unknown"),
    ("fields-are-known", "NetworkPolicy dns", "spec/podSelecter", {}, "spec.podSelecter",
     "unknown"),
    ("fields-are-known", "PodMonitor functions", "spec/podMetricsEndpoints/0/intervall", "1s",
     "spec.podMetricsEndpoints.0.intervall", "unknown"),
    ("fields-are-known", CALCULATOR, "spec/template/spec/containerConcurrency", "16",
     f"{SPEC}.containerConcurrency", "integer"),
    ("fields-are-known", "Broker default", "kind", "Breaker", "kind", "no schema"),
    ("image-names-a-version", CALCULATOR, "spec/template/spec/containers/0/image", "x/y:latest",
     f"{CONTAINER}.image", "version"),
    ("image-names-a-version", CALCULATOR, "spec/template/spec/containers/0/image", "host:5000/y",
     f"{CONTAINER}.image", "version"),
    ("image-names-a-version", CALCULATOR, "spec/template/spec/containers/0/image",
     "dev.local/tollgate/calculator:local", f"{CONTAINER}.image", "components/release"),
    ("resources-are-set", CALCULATOR, "spec/template/spec/containers/0/resources/limits/memory",
     GONE, f"{CONTAINER}.resources.limits.memory", "set it"),
    ("probes-are-set", CALCULATOR, "spec/template/spec/containers/0/readinessProbe", GONE,
     f"{CONTAINER}.readinessProbe", "ask"),
    ("containers-are-confined", CALCULATOR,
     "spec/template/spec/containers/0/securityContext/runAsNonRoot", False,
     f"{CONTAINER}.securityContext.runAsNonRoot", "True"),
    ("the-host-is-left-alone", CALCULATOR, "spec/template/spec/hostNetwork", True,
     f"{SPEC}.hostNetwork", "remove"),
    ("the-apiserver-is-for-who-asks", CALCULATOR,
     "spec/template/spec/automountServiceAccountToken", GONE,
     f"{SPEC}.automountServiceAccountToken", "false"),
    ("only-the-gateway-is-public", CALCULATOR,
     "metadata/labels/networking.knative.dev~visibility", GONE,
     "metadata.labels.networking.knative.dev/visibility", "cluster-local"),
    ("scale-has-bounds", CALCULATOR,
     "spec/template/metadata/annotations/autoscaling.knative.dev~max-scale", GONE,
     f"{SCALE}/max-scale", "set it"),
    ("who-is-there-twice-stays-there", CALCULATOR,
     "spec/template/metadata/annotations/autoscaling.knative.dev~min-scale", "2",
     f"{SCALE}/min-scale", "components/always-on"),
    ("who-is-there-twice-stays-there", "PodDisruptionBudget ledger", "spec/maxUnavailable", 0,
     "spec.maxUnavailable", "at least 1"),
    ("triggers-say-all-of-delivery", TRIGGER, "spec/delivery/retry", GONE, "spec.delivery.retry",
     "Broker"),
    ("triggers-say-all-of-delivery", TRIGGER, "spec/delivery/backoffDelay", "PT0S",
     "spec.delivery", "delay"),
    ("deliveries-outlast-their-handlers", TRIGGER, "spec/delivery/timeout", "PT59S",
     "spec.delivery.timeout", "timeoutSeconds of calculator"),
    ("references-exist", TRIGGER, "spec/broker", "other", "spec.broker", "no Broker other"),
    ("references-exist", "PingSource ledger", "spec/sink/ref/name", "lost", "spec.sink.ref.name",
     "no Service lost"),
    ("shared-brokers-keep-events", "ConfigMap kafka-broker-config",
     "data/default.topic.replication.factor", "2", "data.default.topic.replication.factor", "3"),
    ("shared-networks-are-closed", "NetworkPolicy default-deny", "spec/policyTypes", ["Ingress"],
     "NetworkPolicy", "components/network-policies"),
    ("shared-networks-are-closed", "EventPolicy broker", "spec/to", [], "EventPolicy",
     "components/event-policies"),
    ("metadata-is-out-of-reach", "NetworkPolicy to-internet",
     "spec/egress/0/to/0/ipBlock/except", [], "spec.egress", "169.254"),
    ("secrets-are-not-written-down", "ConfigMap tollgate", "data/REDIS_URL",
     "rediss://:hunter2@redis.test:6379/0", "data.REDIS_URL", "secretKeyRef"),
    ("secrets-are-not-written-down", "ConfigMap tollgate", "data/OPENAI_API_KEY", "abc",
     "data.OPENAI_API_KEY", "secretKeyRef"),
    ("revisions-say-their-settings", LEDGER,
     "spec/template/metadata/annotations/tollgate.dev~settings", "v1",
     "spec.template.metadata.annotations.tollgate.dev/settings", "components/rolling-settings"),
    ("settings-exist", "ConfigMap tollgate", "data/LEDGER_URL", GONE, f"{CONTAINER}.env.LEDGER_URL",
     "LEDGER_URL"),
]


def changed(documents, title, path, value):
    made = copy.deepcopy(documents)
    (part,) = [d for d in made if f"{d['kind']} {d['metadata']['name']}" == title]
    *steps, last = [int(s) if s.isdigit() else s.replace("~", "/") for s in path.split("/")]
    for step in steps:
        part = part[step]
    if value is GONE:
        del part[last]
    else:
        part[last] = value
    return made


@pytest.mark.parametrize("name", NAMES)
def test_overlay_holds_to_every_rule(name):
    assert check(golden(name)) == []


@pytest.mark.parametrize(("rule", "title", "path", "value", "field", "todo"), CASES,
                         ids=[f"{n}-{case[0]}" for n, case in enumerate(CASES)])
def test_rule_finds_what_breaks_it(rule, title, path, value, field, todo):
    found = check(changed(golden("prod"), title, path, value))

    assert {violation.rule for violation in found} == {rule}
    assert any(violation.field == field and todo in violation.todo for violation in found), found


def test_every_rule_has_a_case():
    names = {rule.__name__.replace("_", "-") for rule in RULES}

    assert names == {case[0] for case in CASES}


def test_secret_with_values_is_found():
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"},
              "stringData": {"key": "x"}}

    (found,) = check([*golden("prod"), secret])

    assert (found.rule, found.object) == ("secrets-are-not-written-down", "Secret s")


@pytest.mark.parametrize(("addition", "rule"), [
    ({"name": "h", "hostPath": {"path": "/"}}, "the-host-is-left-alone"),
], ids=["hostPath"])
def test_volume_of_the_host_is_found(addition, rule):
    pod = {"containers": [], "volumes": [addition], "automountServiceAccountToken": False}
    workload = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "w"},
                "spec": {"serviceName": "w", "selector": {}, "template": {"spec": pod}}}

    assert {violation.rule for violation in check([workload])} == {rule}


def test_privileged_container_is_found():
    broken = changed(golden("prod"), CALCULATOR,
                     "spec/template/spec/containers/0/securityContext/privileged", True)

    assert [v.field for v in check(broken)] == [f"{CONTAINER}.securityContext.privileged"]


def test_in_memory_broker_is_no_shared_one():
    broken = changed(golden("prod"), "Broker default", "metadata/annotations",
                     {"eventing.knative.dev/broker.class": "MTChannelBasedBroker"})

    assert {violation.rule for violation in check(broken)} == {"shared-brokers-keep-events"}
