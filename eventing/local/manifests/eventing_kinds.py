"""Broker, Trigger and PingSource, as strict as Knative's webhooks."""

import re
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from eventing.local import cron
from eventing.local.manifests.fields import (
    ORDER,
    DeliverySpec,
    Destination,
    Meta,
    Name,
    NoEffect,
    Strict,
)

ATTRIBUTE = re.compile(r"[a-z][a-z0-9]*\Z")
DIALECTS = ("exact", "prefix", "suffix", "all", "any", "not")
BROKER_CLASS = "eventing.knative.dev/broker.class"


def _attributes(texts: dict[str, str], dialect: str) -> dict[str, str]:
    if not texts:
        raise ValueError(f"{dialect} names no attribute")
    bad = [name for name in texts if not ATTRIBUTE.match(name)]
    if bad:
        raise ValueError(f"attribute name {bad[0]!r} is not a letter, then letters and digits")
    return texts


class Filter(Strict):
    """One filter expression: exactly one dialect."""

    exact: dict[str, str] | None = None
    prefix: dict[str, str] | None = None
    suffix: dict[str, str] | None = None
    all: list["Filter"] | None = None
    any: list["Filter"] | None = None
    not_: "Filter | None" = Field(default=None, alias="not")

    @model_validator(mode="after")
    def _one_dialect(self) -> "Filter":
        given = [n for n in DIALECTS if getattr(self, n if n != "not" else "not_") is not None]
        if len(given) != 1:
            raise ValueError(f"needs exactly one dialect of {', '.join(DIALECTS)}; has "
                             f"{', '.join(given) or 'none'}")
        return self

    @field_validator("exact", "prefix", "suffix")
    @classmethod
    def _valid_names(cls, value: dict[str, str] | None, info: Any) -> dict[str, str] | None:
        return None if value is None else _attributes(value, info.field_name)

    @field_validator("all", "any")
    @classmethod
    def _not_empty(cls, value: "list[Filter] | None") -> "list[Filter] | None":
        if value is not None and not value:
            raise ValueError("needs at least one filter")
        return value


class OldFilter(Strict):
    """The older `filter.attributes`: every attribute equals; an empty value asks for presence."""

    attributes: dict[str, str] = {}

    @field_validator("attributes")
    @classmethod
    def _valid_names(cls, value: dict[str, str]) -> dict[str, str]:
        return _attributes(value, "attributes") if value else value


class TriggerSpec(Strict):
    """Which events go where."""

    broker: Name
    filter: OldFilter | None = None
    filters: list[Filter] = []
    subscriber: Destination
    delivery: DeliverySpec | None = None


class Trigger(Strict):
    """A subscription of one subscriber to one broker."""

    api_version: Literal["eventing.knative.dev/v1"]
    kind: Literal["Trigger"]
    metadata: Meta
    spec: TriggerSpec

    @field_validator("metadata")
    @classmethod
    def _unordered(cls, value: Meta) -> Meta:
        if value.annotations.get(ORDER, "unordered") != "unordered":
            raise ValueError(f"annotation {ORDER}: only unordered is implemented")
        return value


class BrokerConfig(Strict):
    """The ConfigMap with the topic's settings."""

    api_version: Literal["v1"]
    kind: Literal["ConfigMap"]
    name: Name
    namespace: Name | None = None


class BrokerSpec(Strict):
    """A broker's configuration and the delivery of Triggers that have none."""

    config: Annotated[BrokerConfig | None, NoEffect] = None
    delivery: DeliverySpec | None = None


class Broker(Strict):
    """A broker of the Kafka class."""

    api_version: Literal["eventing.knative.dev/v1"]
    kind: Literal["Broker"]
    metadata: Meta
    spec: BrokerSpec = BrokerSpec()

    @field_validator("metadata")
    @classmethod
    def _kafka(cls, value: Meta) -> Meta:
        if value.annotations.get(BROKER_CLASS) != "Kafka":
            raise ValueError(f"annotation {BROKER_CLASS} must be Kafka: no other is implemented")
        return value


class PingSpec(Strict):
    """When a timer fires, with what, and whom it wakes."""

    schedule: str
    content_type: str | None = None
    data: str | None = None
    sink: Destination

    @field_validator("schedule")
    @classmethod
    def _five_fields(cls, value: str) -> str:
        cron.parse(value)
        return value


class PingSource(Strict):
    """A timer that sinks straight into a Service."""

    api_version: Literal["sources.knative.dev/v1"]
    kind: Literal["PingSource"]
    metadata: Meta
    spec: PingSpec
