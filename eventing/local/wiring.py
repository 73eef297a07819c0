"""Turns manifests into running parts: Services, Brokers with their Triggers, timers."""

from dataclasses import dataclass, field

import aiohttp

from eventing.local.broker import Broker
from eventing.local.calls import BrokerSink, Caller, ServiceSink, UriSink
from eventing.local.demand import Limits
from eventing.local.dispatch import Subscription
from eventing.local.disturbance import Disturbance
from eventing.local.environment import ValueMissing, World, mount, variables
from eventing.local.filters import predicate
from eventing.local.instance import Program
from eventing.local.journal import Journal
from eventing.local.log import EventLog
from eventing.local.manifests.deployment import SOURCE, Deployment, Key
from eventing.local.manifests.eventing_kinds import Trigger
from eventing.local.manifests.fields import DeliverySpec, Destination
from eventing.local.manifests.serving_kinds import AUTOSCALING, PodSpec, go_seconds
from eventing.local.manifests.serving_kinds import Service as ServiceManifest
from eventing.local.options import WINDOW_DEFAULT_S
from eventing.local.pings import Timer
from eventing.local.policy import policy_of
from eventing.local.service import Service
from eventing.local.wire import Sink
from shared.store import Redis

QUEUE_FACTOR = 10
"""Knative's queue proxy lets ten times the concurrency wait."""

QUEUE_UNLIMITED_MAX = 1000
"""What may wait for the first process of a Service without a concurrency limit."""

MAX_SCALE_DEFAULT = 10
"""A cluster has no limit; a laptop needs one."""

TARGET_DEFAULT = 100


@dataclass(slots=True)
class Parts:
    """What runs."""

    journal: Journal
    services: dict[Key, Service] = field(default_factory=dict)
    timeouts_s: dict[Key, int] = field(default_factory=dict)
    brokers: dict[Key, Broker] = field(default_factory=dict)
    timers: list[Timer] = field(default_factory=list)


class Wiring:
    """Builds the parts in order: Services, then brokers, then what points to them."""

    def __init__(self, world: World, redis: Redis, session: aiohttp.ClientSession,
                 disturbance: Disturbance) -> None:
        self._world, self._redis, self._session = world, redis, session
        self._disturbance = disturbance
        self._caller = Caller(session)

    def parts(self) -> Parts:
        """Return everything that the manifests describe; nothing runs yet.

        Raises:
            ValueMissing: a Service names a value that does not exist.
        """
        parts, deployment = Parts(Journal()), self._world.deployment
        for key, service in deployment.services.items():
            parts.services[key] = self._service(key, service, parts.journal)
            parts.timeouts_s[key] = service.spec.template.spec.timeout_seconds
        for key in deployment.brokers:
            parts.brokers[key] = self._broker(key, parts.journal)
        self.subscribe(deployment, parts)
        parts.timers = [Timer(key, timer, self._sink(timer.spec.sink, key[0], parts))
                        for key, timer in deployment.timers.items()]
        return parts

    def subscribe(self, deployment: Deployment, parts: Parts) -> None:
        """Add the Triggers that are new, change the others in place, delete those that are gone."""
        for key, broker in parts.brokers.items():
            kept = {k[1] for k, t in deployment.triggers.items()
                    if (k[0], t.spec.broker) == key}
            broker.unsubscribe(broker.triggers - kept)
        for key, trigger in deployment.triggers.items():
            broker = parts.brokers[key[0], trigger.spec.broker]
            broker.subscribe(self._subscription(key, trigger, parts))

    def _service(self, key: Key, manifest: ServiceManifest, journal: Journal) -> Service:
        try:
            program = self._program(key, manifest)
        except ValueMissing as error:
            raise ValueMissing(f"Service {key[1]}: {error.detail}") from error
        limits = limits_of(manifest, self._world.options.scale.window_s)
        return Service(program, limits, self._session, journal)

    def _program(self, key: Key, manifest: ServiceManifest) -> Program:
        options, spec = self._world.options, manifest.spec.template.spec
        source = options.root / manifest.metadata.annotations[SOURCE]
        if not source.is_file():
            raise ValueMissing(f"{SOURCE} names {source}, which does not exist")
        mounts = mount(key, manifest, self._world)
        return Program(
            name=key[1], source=source, env=variables(key, manifest, self._world, mounts),
            log=options.data_dir / "logs" / f"{key[1]}.log", timeout_s=spec.timeout_seconds,
            probe=_probe(spec), folder=options.root)

    def _broker(self, key: Key, journal: Journal) -> Broker:
        log = EventLog(self._redis, "/".join(key))
        return Broker(key, log, journal, backoff=self._world.options.scale.backoff,
                      disturbance=self._disturbance)

    def _subscription(self, key: Key, trigger: Trigger, parts: Parts) -> Subscription:
        broker = self._world.deployment.brokers[key[0], trigger.spec.broker]
        # A Trigger's delivery replaces the Broker's as a whole: nothing of it is inherited.
        spec: DeliverySpec | None = trigger.spec.delivery or broker.spec.delivery
        dead = spec.dead_letter_sink if spec else None
        return Subscription(
            name=key[1], namespace=key[0], matches=predicate(trigger.spec),
            subscriber=self._sink(trigger.spec.subscriber, key[0], parts),
            policy=policy_of(spec, self._sink(dead, key[0], parts) if dead else None))

    def _sink(self, to: Destination, namespace: str, parts: Parts) -> Sink:
        if to.ref is None:
            address = str(to.uri)
            return UriSink(self._world.addresses.rewritten(address), address, self._caller)
        key = (to.ref.namespace or namespace, to.ref.name)
        if to.ref.kind == "Broker":
            return BrokerSink(parts.brokers[key])
        return ServiceSink(key, parts.services[key], parts.timeouts_s[key], self._caller,
                           path=to.path)


def limits_of(manifest: ServiceManifest, window_s: float | None) -> Limits:
    """Return the scale that a manifest asks for; a given window replaces its own."""
    spec = manifest.spec.template.spec
    asked = {name.removeprefix(AUTOSCALING): text
             for name, text in manifest.spec.template.metadata.annotations.items()}
    concurrency = spec.container_concurrency
    target = int(asked.get("target", 0)) or concurrency or TARGET_DEFAULT
    return Limits(
        concurrency=concurrency, target=min(target, concurrency or target),
        min_scale=int(asked.get("min-scale", 0)),
        max_scale=int(asked.get("max-scale", 0)) or MAX_SCALE_DEFAULT,
        window_s=window_s if window_s is not None
        else go_seconds(asked.get("window", f"{WINDOW_DEFAULT_S:g}s")),
        queue_max=concurrency * QUEUE_FACTOR or QUEUE_UNLIMITED_MAX)


def _probe(spec: PodSpec) -> str | None:
    probe = spec.containers[0].readiness_probe
    return probe.http_get.path if probe and probe.http_get else None
