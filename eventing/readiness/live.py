"""Checks that ask the cluster: what the files promise, is it there and Ready?"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from eventing.environments.kubectl import Unanswered, run
from eventing.policies.objects import KNATIVE_SERVICE, TRIGGER, name_of
from eventing.readiness.finding import Area, Check, Verdict, shown
from eventing.readiness.running import ALWAYS_ASKED
from eventing.readiness.subject import Subject

NAMESPACE = "tollgate"
SECRETS = ("tollgate-grant-key", "tollgate-api-keys")
BROKERS = "brokers.eventing.knative.dev"
SERVICES = "services.serving.knative.dev"
TRIGGERS = "triggers.eventing.knative.dev"
RULES = "prometheusrules.monitoring.coreos.com"
SERVICE_LABEL = "serving.knative.dev/service"


@dataclass(frozen=True)
class Cluster:
    """The cluster that the operator's kubectl means, and what should be in it."""

    subject: Subject
    env: Mapping[str, str]
    namespace: str = NAMESPACE

    def get(self, kind: str) -> list[dict[str, Any]]:
        """Return all objects of a kind in the namespace; none where the kind is unknown.

        Raises:
            Unanswered: the cluster does not answer.
        """
        answer = run(("get", kind, "--namespace", self.namespace, "--output=json"), self.env)
        if answer.code and "doesn't have a resource type" in answer.err:
            return []
        if answer.code:
            raise Unanswered(answer.errors)
        found: list[dict[str, Any]] = json.loads(answer.out)["items"]
        return found


def services_ready(cluster: Cluster) -> Verdict:
    """Every function's newest revision is ready."""
    wanted = {name_of(s) for s in cluster.subject.objects.of(KNATIVE_SERVICE)}
    return _all_ready(cluster, SERVICES, wanted, "kubectl describe ksvc says why")


def triggers_ready(cluster: Cluster) -> Verdict:
    """Every Trigger delivers, and its dead letters have a resolved address."""
    wanted = {name_of(t) for t in cluster.subject.objects.of(TRIGGER)}
    ready = _all_ready(cluster, TRIGGERS, wanted, "kubectl describe trigger says why")
    without = [name_of(t) for t in cluster.get(TRIGGERS)
               if not t.get("status", {}).get("deadLetterSinkUri")]
    if not ready.holds or not without:
        return ready
    return Verdict(False, f"no address for the dead letters of {', '.join(without)}",
                   "make sure that the Service deadletters is Ready")


def broker_ready(cluster: Cluster) -> Verdict:
    """The Broker takes events."""
    return _all_ready(cluster, BROKERS, {"default"}, "kubectl describe broker says why")


def always_there(cluster: Cluster) -> Verdict:
    """Who is always asked has the processes that its manifest says."""
    pods = [p for p in cluster.get("pods") if p.get("status", {}).get("phase") == "Running"
            and not p["metadata"].get("deletionTimestamp")]
    counts = {name: sum(p["metadata"].get("labels", {}).get(SERVICE_LABEL) == name for p in pods)
              for name in ALWAYS_ASKED}
    few = [f"{name}: {n} of {cluster.subject.min_scale(name)}" for name, n in counts.items()
           if n < max(1, cluster.subject.min_scale(name))]
    return shown(few, ", ".join(f"{name}: {n} running" for name, n in counts.items()),
                 "kubectl get pods says what keeps them from starting")


def secrets_there(cluster: Cluster) -> Verdict:
    """The secrets that no manifest carries are there."""
    there = {name_of(s) for s in cluster.get("secrets")}
    return shown((f"no Secret {name}" for name in SECRETS if name not in there),
                 f"Secrets {', '.join(SECRETS)}", "make them: tollgate secrets --help")


def alerts_loaded(cluster: Cluster) -> Verdict:
    """The alert rules are where Prometheus reads them."""
    names = sorted(name_of(r) for r in cluster.get(RULES))
    return Verdict(bool(names), f"PrometheusRules {', '.join(names)}" if names
                   else "no PrometheusRule", "install the Prometheus operator, and apply again")


CHECKS = (
    Check("live-services", Area.FAULT_TOLERANCE, services_ready),
    Check("live-broker", Area.FAULT_TOLERANCE, broker_ready),
    Check("live-triggers", Area.FAULT_TOLERANCE, triggers_ready),
    Check("live-always-there", Area.SCALING, always_there),
    Check("live-secrets", Area.SECURITY, secrets_there),
    Check("live-alerts", Area.MONITORING, alerts_loaded),
)


def _all_ready(cluster: Cluster, kind: str, wanted: set[str], todo: str) -> Verdict:
    states = {name_of(o): _not_ready(o) for o in cluster.get(kind)}
    faults = [f"{name} is not there" for name in sorted(wanted - states.keys())]
    faults += [f"{name}: {why}" for name, why in sorted(states.items()) if why and name in wanted]
    return shown(faults, f"{len(wanted)} {kind.partition('.')[0]} Ready", todo)


def _not_ready(found: Mapping[str, Any]) -> str:
    for condition in _conditions(found):
        if condition["type"] == "Ready":
            return "" if condition["status"] == "True" else str(
                condition.get("message") or condition.get("reason") or condition["status"])
    return "says nothing of being Ready"


def _conditions(found: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from found.get("status", {}).get("conditions", ())
