"""What may not spend at all, whatever its budget says, without I/O (ADR 0033)."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from functions.ledger.requests import CallBody
from shared.auth import Grant
from shared.metering import Denied

StopKind = Literal["agent", "tool", "tenant", "all"]
KINDS: tuple[StopKind, ...] = ("all", "tenant", "agent", "tool")
REASON_CHARS_MAX = 200
"""Stands in every denial and in the error of every task that it ends."""


class StopBody(BaseModel):
    """Why, and what becomes of tasks that meet it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    reason: Annotated[str, Field(min_length=1, max_length=REASON_CHARS_MAX)]
    policy: Literal["pause", "fail"] = "pause"


class Stop(StopBody):
    """One stop as it is stored."""

    kind: StopKind
    name: str
    at: float
    """When it was placed, seconds since the epoch."""

    @property
    def field(self) -> str:
        """Return its field in the hash of stops."""
        return field_of(self.kind, self.name)


def field_of(kind: StopKind, name: str) -> str:
    """Return the field of a stop in the hash of stops."""
    return f"{kind}|{name}"


@dataclass(frozen=True, slots=True)
class Stops:
    """All stops that this process knows of."""

    placed: Mapping[str, Stop] = field(default_factory=dict)
    passing: frozenset[str] = frozenset()
    """Ids of reservations that there were before: what holds its money goes on."""

    @classmethod
    def parse(cls, fields: Mapping[str, str]) -> "Stops":
        """Read the hash of stops."""
        return cls({name: Stop.model_validate(json.loads(text)) for name, text in fields.items()})

    def but(self, reservations: Iterable[str]) -> "Stops":
        """Return the stops as they are for everything but these reservations."""
        return Stops(self.placed, frozenset(reservations))

    def of(self, grant: Grant, ask: CallBody) -> Stop | None:
        """Return what stops the call, the widest first; `None` if nothing does."""
        if not self.placed or ask.id in self.passing:
            return None
        names = {"all": "all", "tenant": grant.tenant, "agent": grant.agent, "tool": ask.tool}
        found = (self.placed.get(f"{kind}|{names[kind]}") for kind in KINDS)
        return next((stop for stop in found if stop is not None), None)

    def refuse(self, grant: Grant, ask: CallBody) -> None:
        """Return if nothing stops the call.

        Raises:
            Denied: something does; `reason` is `stopped`, and a later reserve may succeed.
        """
        if (stop := self.of(grant, ask)) is not None:
            raise _denied(stop)


def _denied(stop: Stop) -> Denied:
    what = "everything" if stop.kind == "all" else f"{stop.kind} {stop.name}"
    return Denied(
        f"{what} is stopped: {stop.reason}", account=f"stop|{stop.kind}|{stop.name}",
        unit="calls", need=1, have=0, reason="stopped",
        policy="pause" if stop.policy == "pause" else "deny")
