"""Checks of what keeps running: scaling and fault tolerance."""

import re

from eventing.policies.objects import (
    BROKER,
    TRIGGER,
    annotations_of,
    containers_of,
    name_of,
)
from eventing.readiness.finding import Area, Check, Verdict, shown
from eventing.readiness.subject import MIN_SCALE, Subject

ALWAYS_ASKED = ("gateway", "ledger")
"""Who sits in every request: one process of each is one failure away from none."""

AWAKE = (*ALWAYS_ASKED, "costs")
"""Costs shows the figures of those who sleep, and is scraped itself."""

COPIES_MIN = 3
DELIVERY = ("triggers-say-all-of-delivery", "references-exist",
            "deliveries-outlast-their-handlers")
REDIS = re.compile(r"redis\s*=\s*\{([^}]*)\}")
SETTING = re.compile(r'(\w+)\s*=\s*"?([\w.-]+)"?')


def twice_there(subject: Subject) -> Verdict:
    """Who sits in every call is there twice."""
    scales = {name: subject.min_scale(name) for name in ALWAYS_ASKED}
    return shown((f"{name} has {n}" for name, n in scales.items() if n < 2),
                 ", ".join(f"Service {name}: {MIN_SCALE} {n}" for name, n in scales.items()),
                 "add knative/components/always-on to the overlay")


def bounded(subject: Subject) -> Verdict:
    """Every function has an upper bound of processes, and limits on each."""
    faults = [f"{v.object}: {v.field}"
              for v in subject.violations(("scale-has-bounds", "resources-are-set"))]
    return shown(faults, f"{len(subject.services)} Services have max-scale, requests and limits",
                 "set autoscaling.knative.dev/max-scale and resources in knative/base")


def others_sleep(subject: Subject) -> Verdict:
    """Everybody else scales to zero."""
    awake = [name for name in subject.services
             if subject.min_scale(name) and name not in AWAKE]
    return shown((f"{name} never sleeps" for name in awake),
                 f"{len(subject.services) - len(AWAKE)} functions have no {MIN_SCALE}",
                 f"remove {MIN_SCALE}: a function at zero costs nothing")


def deliveries_whole(subject: Subject) -> Verdict:
    """Every Trigger says retries, waits, time-out and where its dead letters go."""
    faults = [f"{v.object}: {v.field}" for v in subject.violations(DELIVERY)]
    count = sum(1 for _ in subject.objects.of(TRIGGER))
    return shown(faults, f"{count} Triggers with complete delivery" if count else "",
                 "complete spec.delivery: a Trigger's replaces the Broker's as a whole")


def events_copied(subject: Subject) -> Verdict:
    """The Broker keeps events in three copies on Kafka."""
    broker = next(iter(subject.objects.of(BROKER)), {})
    kind = broker.get("metadata", {}).get("annotations", {}).get(
        "eventing.knative.dev/broker.class")
    name = broker.get("spec", {}).get("config", {}).get("name", "")
    config = subject.objects.named("v1 ConfigMap", name) or {}
    copies = config.get("data", {}).get("default.topic.replication.factor", "0")
    holds = kind == "Kafka" and int(copies) >= COPIES_MIN
    return Verdict(holds, f"Broker class {kind}, ConfigMap {name}: "
                          f"default.topic.replication.factor {copies}",
                   "use knative/components/kafka-broker with a replication factor of 3")


def redis_survives(subject: Subject) -> Verdict:
    """Redis is managed, with replicas and snapshots; its address is a secret."""
    said = REDIS.search(subject.stack("platform"))
    settings = dict(SETTING.findall(said[1])) if said else {}
    secret = [name for name, s in subject.services.items() for _, c in containers_of(s)
              for e in c.get("env", ())
              if e["name"] == "REDIS_URL" and "secretKeyRef" in e.get("valueFrom", {})]
    holds = (settings.get("mode") == "managed" and int(settings.get("replicas", 0)) > 0
             and int(settings.get("snapshot_days", 0)) > 0 and bool(secret))
    shown_by = ", ".join(f"{name} {value}" for name, value in settings.items())
    return Verdict(holds, f"platform: redis {shown_by or 'is not managed'}; "
                          f"{len(secret)} Services take REDIS_URL from a Secret",
                   "make Redis managed with replicas and snapshots in the platform stack, and "
                   "add knative/components/external-redis")


def survives_a_drain(subject: Subject) -> Verdict:
    """A node can be drained without taking the last process of who is always asked."""
    kept = {name_of(d) for d in subject.objects.of("policy/v1 PodDisruptionBudget")}
    missing = [n for n in ALWAYS_ASKED if n not in kept]
    return shown((f"{n} has no PodDisruptionBudget" for n in missing),
                 f"PodDisruptionBudgets {', '.join(sorted(kept))}",
                 "add knative/components/always-on to the overlay")


def processes_end_well(subject: Subject) -> Verdict:
    """Requests have time to end: every Service says its time-out, and its probe."""
    faults = [name for name, s in subject.services.items()
              if "timeoutSeconds" not in s["spec"]["template"]["spec"]]
    faults += [v.object for v in subject.violations(("probes-are-set",))]
    return shown(faults, f"{len(subject.services)} Services have timeoutSeconds and a probe",
                 "set timeoutSeconds and readinessProbe in knative/base")


def scaled_by(subject: Subject) -> Verdict:
    """Every function says how many requests a process takes at once."""
    silent = [name for name, s in subject.services.items()
              if "containerConcurrency" not in s["spec"]["template"]["spec"]
              and not any(key.endswith("/target") for key in annotations_of(s))]
    return shown(silent, f"{len(subject.services)} Services have containerConcurrency or a target",
                 "set containerConcurrency in knative/base")


CHECKS = (
    Check("always-asked-twice", Area.SCALING, twice_there),
    Check("bounds", Area.SCALING, bounded),
    Check("concurrency", Area.SCALING, scaled_by),
    Check("to-zero", Area.SCALING, others_sleep),
    Check("delivery", Area.FAULT_TOLERANCE, deliveries_whole),
    Check("events-copied", Area.FAULT_TOLERANCE, events_copied),
    Check("state-survives", Area.FAULT_TOLERANCE, redis_survives),
    Check("node-drain", Area.FAULT_TOLERANCE, survives_a_drain),
    Check("graceful-end", Area.FAULT_TOLERANCE, processes_end_well),
)
