"""What the suite needs of a broker: start it, add Triggers, find its ingress, stop it."""

from dataclasses import dataclass
from typing import Any, Protocol


class Rejected(Exception):
    """The broker's control plane refused a Trigger."""


@dataclass(frozen=True)
class Spec:
    """A Trigger without its broker, as in its manifest."""

    subscriber: str
    """Address of a loopback server."""

    filters: list[dict[str, Any]] | None = None
    filter: dict[str, Any] | None = None
    delivery: dict[str, Any] | None = None

    def manifest(self, broker: str) -> dict[str, Any]:
        spec: dict[str, Any] = {"broker": broker, "subscriber": {"uri": self.subscriber}}
        given = {"filters": self.filters, "filter": self.filter, "delivery": self.delivery}
        return spec | {name: value for name, value in given.items() if value is not None}


class BrokerUnderTest(Protocol):
    """A broker for one test; `broker_class` chooses the table of what to expect."""

    broker_class: str
    namespace: str

    @property
    def ingress(self) -> str:
        """The full address that takes events."""

    async def start(self, delivery: dict[str, Any] | None = None) -> None:
        """Start a broker with that delivery spec, without Triggers."""

    async def add_trigger(self, name: str, spec: Spec) -> None:
        """Add a Trigger and return when it sees new events.

        Raises:
            Rejected: the spec is not valid.
        """

    async def settled(self) -> None:
        """Return when nothing is on its way any more: no call, no wait, no dead letter."""

    async def stop(self) -> None:
        """Stop the broker and forget its events."""
