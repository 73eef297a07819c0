"""The Knative Service: one container, its environment, its scale."""

import re
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from eventing.local.manifests.fields import (
    Ignored,
    KeyReference,
    Meta,
    Name,
    NoEffect,
    ObjectReference,
    Strict,
)

AUTOSCALING = "autoscaling.knative.dev/"
TIMEOUT_MAX_S = 600
"""Knative's default `max-revision-timeout-seconds`."""

WHOLE = re.compile(r"\d+\Z")
GO_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?\Z")
NUMBERS = frozenset({"min-scale", "max-scale", "target", "initial-scale", "target-burst-capacity",
                     "target-utilization-percentage"})
DURATIONS = frozenset({"window"})
CHOICES = {"metric": {"concurrency"}, "class": {"kpa.autoscaling.knative.dev"}}
EFFECTIVE = frozenset(AUTOSCALING + name for name in ("min-scale", "max-scale", "target", "window"))
"""Load starts processes at once here, so that what shapes a cluster's averages changes nothing."""


class EnvSource(Strict):
    """Where a variable's value comes from."""

    config_map_key_ref: KeyReference | None = None
    secret_key_ref: KeyReference | None = None

    @model_validator(mode="after")
    def _one(self) -> "EnvSource":
        if (self.config_map_key_ref is None) == (self.secret_key_ref is None):
            raise ValueError("needs exactly one of configMapKeyRef and secretKeyRef")
        return self


class EnvVar(Strict):
    """One environment variable."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
    value: str | None = None
    value_from: EnvSource | None = None

    @model_validator(mode="after")
    def _not_both(self) -> "EnvVar":
        if self.value is not None and self.value_from is not None:
            raise ValueError("has value and valueFrom: one of them")
        if "$(" in (self.value or ""):
            raise ValueError("$(…) in a value is not implemented by the embedded runtime")
        if self.name in ("PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION"):
            raise ValueError(f"{self.name} is set by the platform")
        return self


class EnvFrom(Strict):
    """All keys of a ConfigMap or Secret as variables."""

    prefix: str = ""
    config_map_ref: ObjectReference | None = None
    secret_ref: ObjectReference | None = None


class Port(Strict):
    """The port the container listens on, for HTTP/1."""

    container_port: Annotated[int, NoEffect] = 8080
    name: Annotated[Literal["http1"], NoEffect] = "http1"
    protocol: Annotated[Literal["TCP"], NoEffect] = "TCP"


class HttpGet(Strict):
    """A probe's request."""

    path: str = "/"
    port: Annotated[int, NoEffect] = 0
    scheme: Annotated[Literal["HTTP"], NoEffect] = "HTTP"


class Probe(Strict):
    """Asks an instance whether it is ready."""

    http_get: HttpGet | None = None
    tcp_socket: Annotated[dict[str, Any] | None, NoEffect] = None
    initial_delay_seconds: Annotated[int, NoEffect] = 0
    period_seconds: Annotated[int, NoEffect] = 0
    timeout_seconds: int = 1
    failure_threshold: Annotated[int, NoEffect] = 3
    success_threshold: Annotated[int, NoEffect] = 1


class Mount(Strict):
    """A volume in the container's file system."""

    name: Name
    mount_path: Annotated[str, Field(pattern=r"^/")]
    read_only: Annotated[bool, NoEffect] = False


class Container(Strict):
    """The function's container."""

    name: Annotated[str, NoEffect] = "user-container"
    image: Annotated[str, NoEffect]
    image_pull_policy: Annotated[str | None, NoEffect] = None
    env: list[EnvVar] = []
    env_from: list[EnvFrom] = []
    ports: Annotated[list[Port], Field(max_length=1)] = []
    readiness_probe: Probe | None = None
    liveness_probe: Annotated[Probe | None, NoEffect] = None
    startup_probe: Annotated[Probe | None, NoEffect] = None
    resources: Ignored = None
    security_context: Ignored = None
    volume_mounts: list[Mount] = []


class KeyToPath(Strict):
    """One key of a mounted object and its file."""

    key: str
    path: Annotated[str, Field(pattern=r"^[^/.][^/]*$")]
    mode: Annotated[int | None, NoEffect] = None


class ConfigMapVolume(Strict):
    """A ConfigMap as files."""

    name: Name
    items: list[KeyToPath] = []
    optional: bool = False
    default_mode: Annotated[int | None, NoEffect] = None


class SecretVolume(Strict):
    """A Secret as files."""

    secret_name: Name
    items: list[KeyToPath] = []
    optional: bool = False
    default_mode: Annotated[int | None, NoEffect] = None


class EmptyDir(Strict):
    """Scratch space, emptied when the runtime starts."""

    medium: Annotated[str, NoEffect] = ""
    size_limit: Annotated[Any, NoEffect] = None


class Token(Strict):
    """A token of the pod's service account for one audience."""

    audience: Annotated[str, NoEffect]
    expiration_seconds: Annotated[int, NoEffect] = 3600
    path: Annotated[str, NoEffect]


class ProjectedSource(Strict):
    """One part of a projected volume; the embedded broker asks nobody for a token."""

    service_account_token: Token


class Projected(Strict):
    """Tokens as files; empty here."""

    sources: list[ProjectedSource]


class Volume(Strict):
    """A named source of files."""

    name: Name
    config_map: ConfigMapVolume | None = None
    secret: SecretVolume | None = None
    empty_dir: EmptyDir | None = None
    projected: Projected | None = None

    @model_validator(mode="after")
    def _one(self) -> "Volume":
        given = (self.config_map, self.secret, self.empty_dir, self.projected)
        if sum(source is not None for source in given) != 1:
            raise ValueError("needs exactly one of configMap, secret, emptyDir and projected")
        return self


class PodSpec(Strict):
    """What runs, how many requests at once, for how long."""

    containers: Annotated[list[Container], Field(min_length=1, max_length=1)]
    container_concurrency: Annotated[int, Field(ge=0, le=1000)] = 0
    timeout_seconds: Annotated[int, Field(gt=0, le=TIMEOUT_MAX_S)] = 300
    volumes: list[Volume] = []
    service_account_name: Annotated[str | None, NoEffect] = None
    automount_service_account_token: Annotated[bool | None, NoEffect] = None
    enable_service_links: Annotated[bool | None, NoEffect] = None
    image_pull_secrets: Ignored = None
    security_context: Ignored = None

    @model_validator(mode="after")
    def _mounts_have_volumes(self) -> "PodSpec":
        names = {volume.name for volume in self.volumes}
        lost = [m.name for m in self.containers[0].volume_mounts if m.name not in names]
        if lost:
            raise ValueError(f"volumeMounts name no volume: {', '.join(lost)}")
        return self


class TemplateMeta(Strict):
    """The revision's labels and its autoscaling annotations."""

    name: Name | None = None
    labels: Annotated[dict[str, str], NoEffect] = {}
    annotations: dict[str, str] = {}

    @field_validator("annotations")
    @classmethod
    def _known(cls, value: dict[str, str]) -> dict[str, str]:
        for name, text in value.items():
            if name.startswith(AUTOSCALING):
                _check_annotation(name.removeprefix(AUTOSCALING), text)
        return value


class Template(Strict):
    """The revision's template."""

    metadata: TemplateMeta = TemplateMeta()
    spec: PodSpec


class Traffic(Strict):
    """All traffic to the latest revision: the embedded runtime has no other."""

    latest_revision: Literal[True]
    percent: Literal[100]


class ServiceSpec(Strict):
    """A Service's template and traffic."""

    template: Template
    traffic: Annotated[list[Traffic], Field(max_length=1)] = []


class Service(Strict):
    """A function."""

    api_version: Literal["serving.knative.dev/v1"]
    kind: Literal["Service"]
    metadata: Meta
    spec: ServiceSpec


def go_seconds(text: str) -> float:
    """Return a Go duration of hours, minutes and seconds in seconds.

    Raises:
        ValueError: it is none.
    """
    found = GO_DURATION.match(text)
    if not text or not found:
        raise ValueError(f"{text!r} is not a duration such as 30s")
    hours, minutes, rest = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + rest


def _check_annotation(name: str, text: str) -> None:
    if name in NUMBERS:
        if not WHOLE.match(text):
            raise ValueError(f"{AUTOSCALING}{name}: {text!r} is not a whole number")
    elif name in DURATIONS:
        go_seconds(text)
    elif text not in CHOICES.get(name, ()):
        raise ValueError(f"{AUTOSCALING}{name}: {text} is unknown or not implemented")
