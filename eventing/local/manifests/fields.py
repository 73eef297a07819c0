"""What the kinds share: strict models, metadata, durations, destinations."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z")
DURATION = re.compile(r"P(?:(?P<d>\d+)D)?(?:T(?=\d)(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?"
                      r"(?:(?P<s>\d+(?:\.\d+)?)S)?)?\Z")
ORDER = "kafka.eventing.knative.dev/delivery.order"


class NoEffect:
    """Marks a field that matters on a cluster and changes nothing here."""


class Strict(BaseModel):
    """A frozen model that takes exactly its fields, under their Kubernetes names."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, alias_generator=to_camel)


def seconds(duration: str) -> float:
    """Return an ISO 8601 duration, as Knative takes it, in seconds.

    Raises:
        ValueError: it is none.
    """
    found = DURATION.match(duration)
    if not found or duration in ("P", "PT"):
        raise ValueError(f"{duration!r} is not an ISO 8601 duration such as PT0.2S")
    parts = {name: float(text or 0) for name, text in found.groupdict().items()}
    return parts["d"] * 86400 + parts["h"] * 3600 + parts["m"] * 60 + parts["s"]


def _is_duration(text: str) -> str:
    seconds(text)
    return text


def _is_name(text: str) -> str:
    if not NAME.match(text):
        raise ValueError(f"{text!r} is not a DNS label (a-z, 0-9, -; at most 63 characters)")
    return text


Name = Annotated[str, AfterValidator(_is_name)]
Duration = Annotated[str, AfterValidator(_is_duration)]
Ignored = Annotated[Any, NoEffect]
"""Accepted as it is: schema-checked by the cluster's tests, without effect on this machine."""


class Meta(Strict):
    """Names an object."""

    name: Name
    namespace: Name | None = None
    labels: Annotated[dict[str, str], NoEffect] = {}
    annotations: dict[str, str] = {}


class Reference(Strict):
    """Points to an object that has an address."""

    api_version: str
    kind: Literal["Service", "Broker"]
    name: Name
    namespace: Name | None = None

    @model_validator(mode="after")
    def _of_knative(self) -> "Reference":
        wanted = {"Service": "serving.knative.dev/v1", "Broker": "eventing.knative.dev/v1"}
        if self.api_version != wanted[self.kind]:
            raise ValueError(f"{self.kind} of {self.api_version}: only {wanted[self.kind]} is "
                             "implemented")
        return self


class Destination(Strict):
    """Where events go: an object, with a path if given, or an absolute http address."""

    ref: Reference | None = None
    uri: Annotated[str, Field(pattern=r"^(https?:/)?/")] | None = None

    @model_validator(mode="after")
    def _one(self) -> "Destination":
        if self.ref is None and self.uri is None:
            raise ValueError("needs ref or uri")
        is_path = self.uri is None or self.uri.startswith("/")
        if (self.ref is None) == is_path:
            raise ValueError("an absolute uri stands alone, a path needs a ref")
        return self

    @property
    def path(self) -> str:
        """Return the path at the object that `ref` names."""
        return self.uri if self.ref and self.uri else "/"


class DeliverySpec(Strict):
    """How often, after which waits, and where to in the end."""

    dead_letter_sink: Destination | None = None
    retry: Annotated[int, Field(ge=0)] | None = None
    backoff_policy: Literal["linear", "exponential"] | None = None
    backoff_delay: Duration | None = None
    timeout: Duration | None = None

    @model_validator(mode="after")
    def _positive(self) -> "DeliverySpec":
        if self.timeout is not None and seconds(self.timeout) <= 0:
            raise ValueError("timeout must be longer than zero")
        return self


class KeyReference(Strict):
    """One key of a ConfigMap or Secret."""

    name: Name
    key: str
    optional: bool = False


class ObjectReference(Strict):
    """A whole ConfigMap or Secret."""

    name: Name
    optional: bool = False
