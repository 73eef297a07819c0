"""Indexes the objects and checks that what they name exists."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from eventing.local.manifests.eventing_kinds import BROKER_CLASS, Broker, PingSource, Trigger
from eventing.local.manifests.fields import ORDER, DeliverySpec, Destination
from eventing.local.manifests.left_out import LeftOut
from eventing.local.manifests.plain_kinds import ConfigMap, Secret
from eventing.local.manifests.reading import (
    FieldPath,
    Object,
    Refused,
    Source,
    read,
    without_effect,
)
from eventing.local.manifests.serving_kinds import EFFECTIVE, Service

SOURCE = "tollgate.dev/source"
"""Annotation of a Service: the file whose `handle` is the function."""

Key = tuple[str, str]
"""Namespace and name."""

T = TypeVar("T", bound=Object)


@dataclass(frozen=True, slots=True)
class Deployment:
    """Everything that was read, by namespace and name."""

    brokers: dict[Key, Broker]
    triggers: dict[Key, Trigger]
    services: dict[Key, Service]
    timers: dict[Key, PingSource]
    config_maps: dict[Key, dict[str, str]]
    secrets: dict[Key, dict[str, str]]
    no_effect: tuple[str, ...]
    """`file: field path` of everything set that only matters on a cluster."""

    left_out: tuple[str, ...] = ()
    """`Kind name: why` of each object that only a cluster has a use for."""


def load(folder: Path) -> Deployment:
    """Read and check the manifests below a folder.

    Raises:
        Refused: with every fault found, each as `file:line: field: message`.
    """
    sources = read(folder)
    faults = [*_twice(sources)]
    deployment = _index(sources)
    faults += [f for s in sources for f in _lost_references(s, deployment)]
    if faults:
        raise Refused(faults)
    return deployment


def _index(sources: list[Source]) -> Deployment:
    return Deployment(
        brokers=_of(Broker, sources), triggers=_of(Trigger, sources),
        services=_of(Service, sources), timers=_of(PingSource, sources),
        config_maps={k: v.data for k, v in _of(ConfigMap, sources).items()},
        secrets={k: v.values() for k, v in _of(Secret, sources).items()},
        no_effect=tuple(f"{s.file}: {p}" for s in sources
                        for p in (*without_effect(s.value), *_idle_annotations(s.value))),
        left_out=tuple(f"{s.value.kind} {s.name}: {s.value.reason}" for s in sources
                       if isinstance(s.value, LeftOut)),
    )


def _idle_annotations(value: Object) -> Iterator[str]:
    if isinstance(value, LeftOut):
        return
    yield from (f"metadata.annotations.{name}" for name in value.metadata.annotations
                if name not in (SOURCE, BROKER_CLASS, ORDER))
    if isinstance(value, Service):
        yield from (f"spec.template.metadata.annotations.{name}"
                    for name in value.spec.template.metadata.annotations if name not in EFFECTIVE)


def _of(kind: type[T], sources: list[Source]) -> dict[Key, T]:
    return {(s.namespace, s.name): s.value for s in sources if isinstance(s.value, kind)}


def _twice(sources: list[Source]) -> Iterator[str]:
    seen: dict[tuple[str, str, str], Source] = {}
    for source in sources:
        key = (source.value.kind, source.namespace, source.name)
        if key in seen:
            yield source.fault(("metadata", "name"), f"{' '.join(key)} is already in "
                               f"{seen[key].file}")
        seen[key] = source


def _lost_references(source: Source, deployment: Deployment) -> Iterator[str]:
    match source.value:
        case Trigger() as trigger:
            yield from _of_trigger(source, trigger, deployment)
        case PingSource() as timer:
            yield from _lost(source, ("spec", "sink"), timer.spec.sink, deployment)
        case Broker() as broker:
            yield from _of_delivery(source, broker.spec.delivery, deployment)
            yield from _of_config(source, broker, deployment)
        case Service() as service:
            yield from _of_service(source, service, deployment)


def _of_trigger(source: Source, trigger: Trigger, deployment: Deployment) -> Iterator[str]:
    if (source.namespace, trigger.spec.broker) not in deployment.brokers:
        yield source.fault(("spec", "broker"), f"no Broker {trigger.spec.broker} in "
                           f"namespace {source.namespace}")
    yield from _lost(source, ("spec", "subscriber"), trigger.spec.subscriber, deployment)
    yield from _of_delivery(source, trigger.spec.delivery, deployment)


def _of_delivery(source: Source, delivery: DeliverySpec | None,
                 deployment: Deployment) -> Iterator[str]:
    if delivery and delivery.dead_letter_sink:
        path = ("spec", "delivery", "deadLetterSink")
        yield from _lost(source, path, delivery.dead_letter_sink, deployment)


def _lost(source: Source, path: FieldPath, to: Destination,
          deployment: Deployment) -> Iterator[str]:
    if to.ref is None:
        return
    known = deployment.services if to.ref.kind == "Service" else deployment.brokers
    key = (to.ref.namespace or source.namespace, to.ref.name)
    if key not in known:
        yield source.fault((*path, "ref", "name"), f"no {to.ref.kind} {key[1]} in namespace "
                           f"{key[0]}")


def _of_config(source: Source, broker: Broker, deployment: Deployment) -> Iterator[str]:
    config = broker.spec.config
    if config and (config.namespace or source.namespace, config.name) not in deployment.config_maps:
        yield source.fault(("spec", "config", "name"), f"no ConfigMap {config.name}")


def _of_service(source: Source, service: Service, deployment: Deployment) -> Iterator[str]:
    if SOURCE not in service.metadata.annotations:
        yield source.fault(("metadata", "annotations"), f"{SOURCE} is missing: the file of the "
                           "function")
    container = service.spec.template.spec.containers[0]
    for index, variable in enumerate(container.env):
        wanted = variable.value_from.config_map_key_ref if variable.value_from else None
        if wanted is None or wanted.optional:
            continue
        if wanted.key not in deployment.config_maps.get((source.namespace, wanted.name), {}):
            yield source.fault(
                ("spec", "template", "spec", "containers", 0, "env", index),
                f"ConfigMap {wanted.name} has no key {wanted.key}")
