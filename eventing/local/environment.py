"""Builds what a process of a Service sees: its variables and its mounted files."""

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from eventing.local.addresses import Addresses
from eventing.local.manifests.deployment import Deployment, Key
from eventing.local.manifests.serving_kinds import (
    Container,
    EnvFrom,
    EnvVar,
    KeyToPath,
    Service,
    Volume,
)
from eventing.local.options import RuntimeOptions
from eventing.local.secrets import Secrets
from shared.errors import Permanent

PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "PYTHONPATH", "VIRTUAL_ENV",
             "SSL_CERT_FILE", "SYSTEMROOT", "PYTHONWARNINGS")
"""Variables of this process that every program needs; a container has them from its image."""

FAULTS = "TOLLGATE_FAULT"
"""Prefix of the variables that arm a fault; no manifest sets them."""


class ValueMissing(Permanent):
    """A Service names a secret, key or object that does not exist and is not optional."""

    title = "Value missing"


@dataclass(frozen=True, slots=True)
class World:
    """Where values come from."""

    deployment: Deployment
    secrets: Secrets
    addresses: Addresses
    options: RuntimeOptions
    redis_url: str

    def config_map(self, namespace: str, name: str) -> Mapping[str, str] | None:
        """Return a ConfigMap's data."""
        return self.deployment.config_maps.get((namespace, name))

    def secret(self, namespace: str, name: str) -> Mapping[str, str] | None:
        """Return a Secret's clear texts; a manifest's wins over the local file."""
        return self.deployment.secrets.get((namespace, name)) or self.secrets.get(name)


def variables(key: Key, service: Service, world: World,
              mounts: Mapping[str, str]) -> dict[str, str]:
    """Return the whole environment of a Service's processes, but `PORT`.

    Raises:
        ValueMissing: something that is not optional does not exist.
    """
    container = service.spec.template.spec.containers[0]
    declared = _declared(key[0], container, world)
    declared |= {n: v for n, v in world.options.host_env.items() if n in _names(container) and v}
    if "REDIS_URL" in declared:
        declared["REDIS_URL"] = world.redis_url
    host = {n: v for n, v in world.options.host_env.items()
            if n in PASSED_ON or n.startswith(FAULTS)}
    local = {n: _mounted(world.addresses.rewritten(v), mounts) for n, v in declared.items()}
    revision = service.spec.template.metadata.name or f"{key[1]}-00001"
    return {**host, **local, **world.options.env, "K_SERVICE": key[1], "K_CONFIGURATION": key[1],
            "K_REVISION": revision, "PYTHONUNBUFFERED": "1"}


def _names(container: Container) -> set[str]:
    return {variable.name for variable in container.env}


def _declared(namespace: str, container: Container, world: World) -> dict[str, str]:
    found: dict[str, str] = {}
    for source in container.env_from:
        found |= _from_object(namespace, source, world)
    for variable in container.env:
        # The runtime's own Redis, wherever a cluster has the address from.
        is_redis = variable.name == "REDIS_URL"
        value = world.redis_url if is_redis else _value(namespace, variable, world)
        if value is not None:
            found[variable.name] = value
    return found


def _from_object(namespace: str, source: EnvFrom, world: World) -> dict[str, str]:
    found: dict[str, str] = {}
    for wanted, look_up in ((source.config_map_ref, world.config_map),
                            (source.secret_ref, world.secret)):
        if wanted is None:
            continue
        values = look_up(namespace, wanted.name)
        if values is None and not wanted.optional:
            raise ValueMissing(f"envFrom names {wanted.name}, which does not exist")
        found |= {source.prefix + name: value for name, value in (values or {}).items()}
    return found


def _value(namespace: str, variable: EnvVar, world: World) -> str | None:
    if variable.value_from is None:
        return variable.value or ""
    of_map, of_secret = variable.value_from.config_map_key_ref, variable.value_from.secret_key_ref
    wanted = of_map or of_secret
    if wanted is None:
        raise AssertionError("valueFrom without a source passed validation")
    values = (world.config_map if of_map else world.secret)(namespace, wanted.name) or {}
    if wanted.key not in values and not wanted.optional:
        raise ValueMissing(f"{variable.name}: {wanted.name} has no key {wanted.key}")
    return values.get(wanted.key)


def _mounted(value: str, mounts: Mapping[str, str]) -> str:
    for path, local in mounts.items():
        if value == path or value.startswith(path.rstrip("/") + "/"):
            return local + value[len(path.rstrip("/")):]
    return value


def mount(key: Key, service: Service, world: World) -> dict[str, str]:
    """Write a Service's volumes below the data folder; return mount path → local path.

    Raises:
        ValueMissing: a ConfigMap or Secret that is not optional does not exist.
    """
    spec = service.spec.template.spec
    base = world.options.data_dir / "volumes" / key[1]
    shutil.rmtree(base, ignore_errors=True)
    volumes = {volume.name: volume for volume in spec.volumes}
    return {m.mount_path: str(_write(key[0], volumes[m.name], base / m.name, world))
            for m in spec.containers[0].volume_mounts}


def _write(namespace: str, volume: Volume, folder: Path, world: World) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, text in _files(namespace, volume, world):
        descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(text)
    return folder


def _files(namespace: str, volume: Volume, world: World) -> Iterator[tuple[str, str]]:
    if volume.config_map:
        name, part = volume.config_map.name, volume.config_map
        yield from _chosen(name, world.config_map(namespace, name), part.items, part.optional)
    if volume.secret:
        name, of_secret = volume.secret.secret_name, volume.secret
        yield from _chosen(name, world.secret(namespace, name), of_secret.items, of_secret.optional)


def _chosen(name: str, values: Mapping[str, str] | None, items: list[KeyToPath],
            optional: bool) -> Iterator[tuple[str, str]]:
    if values is None:
        if not optional:
            raise ValueMissing(f"a volume names {name}, which does not exist")
        return
    for item in items or [KeyToPath(key=n, path=n) for n in values]:
        if item.key in values:
            yield item.path, values[item.key]
        elif not optional:
            raise ValueMissing(f"a volume names {name}, which has no key {item.key}")
