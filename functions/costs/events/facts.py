"""Reads what the cost store needs out of a ledger event, without I/O.

A tolerant reader: it checks the fields it adds up and leaves the rest to whoever reads the event
later, so that a ledger rolled out before costs loses no event for a field that is new.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from eventing.event import Event
from eventing.types_ledger import (
    LedgerAdjusted,
    LedgerAttributed,
    LedgerDenied,
    LedgerThresholdCrossed,
)
from functions.costs.events.amounts import CACHE_WRITES, between_ms, saved_nano
from functions.costs.events.payload import AMOUNT_MAX, ID_CHARS_MAX, Data, Usage
from functions.costs.events.sequence import NUMBER_MAX
from functions.costs.questions.dimensions import COARSE, Coordinates
from functions.costs.questions.ranges import day_of, hour_of, milliseconds
from functions.costs.questions.rows import Row, Sums
from shared.errors import Malformed, Permanent
from shared.usage import UNPRICED as UNPRICED_TOOL

KINDS = {
    LedgerAttributed.TYPE: "attributed", LedgerAdjusted.TYPE: "adjusted",
    LedgerDenied.TYPE: "denied", LedgerThresholdCrossed.TYPE: "threshold",
}
"""What each event type is called in the store."""

UNPRICED = "unpriced"
"""Counts answers that had no price of their own: at the price of the model asked for, or for a
provider's tool at none."""

_TENANT = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\Z")
_EPOCH = re.compile(r"[A-Za-z0-9.-]{1,64}\Z")


@dataclass(frozen=True, slots=True)
class Fact:
    """One event of the ledger, as it counts."""

    id: str
    tenant: str
    kind: str
    epoch: str
    number: int
    at_ms: int
    session: str
    task: str
    root: str
    coordinates: Coordinates | None
    """Which row of sums it adds to; `None` for events that count nowhere."""
    data: Data = field(compare=False, repr=False)
    """What the event says beside that."""
    tags: Mapping[str, str] = field(default_factory=dict)
    amounts: Mapping[str, int] = field(default_factory=dict)
    """What it adds, by measure; zeros are left out."""
    also: str = ""
    """What is counted beside sums: `threshold:<percent>`, `unpriced`; empty for most."""

    @property
    def day(self) -> str:
        """Return the UTC day that the event counts for."""
        return day_of(self.at_ms)

    @property
    def hour(self) -> str:
        """Return the UTC hour that the event counts for."""
        return hour_of(self.at_ms)

    @property
    def agent(self) -> str:
        """Return the agent; empty where the event has none."""
        return (self.coordinates[0] if self.coordinates else None) or ""

    @property
    def what(self) -> str:
        """Return llm, tool or embedding; empty for events that cost nothing by themselves."""
        costs = self.kind in ("attributed", "adjusted") and self.coordinates
        return (self.coordinates[3] if costs and self.coordinates else None) or ""

    @property
    def name(self) -> str:
        """Return the model or the tool."""
        return (self.coordinates[4] or self.coordinates[5] or "") if self.coordinates else ""

    @property
    def sums(self) -> Sums:
        """Return what it adds."""
        return Sums.of(self.amounts)

    @property
    def row(self) -> Row:
        """Return the event as a row of costs."""
        coarse = dict(zip(COARSE, self.coordinates or (None,) * len(COARSE), strict=True))
        return Row({**coarse, "tenant": self.tenant, "hour": self.hour, "day": self.day,
                    "session": self.session, "task": self.task, "root": self.root}, self.sums)


def read(event: Event) -> Fact:
    """Return what the event says.

    Raises:
        Permanent: the type is not one of the ledger's.
        Malformed: source, number, epoch, time or tenant are missing or contradict each other.
        ValidationError: an amount or a name is missing or out of range.
    """
    kind = KINDS.get(event.type)
    if kind is None:
        raise Permanent(f"costs keeps no {event.type}; it keeps {', '.join(KINDS)}")
    data = Data.model_validate_json(event.data or b"")
    epoch, number = _numbered(event, data)
    return Fact(
        id=_bounded_id(event), tenant=_tenant(event, data), kind=kind, epoch=epoch, number=number,
        at_ms=at_ms(event), session=data.dims.session, task=data.dims.task,
        root=data.dims.root or data.dims.task, coordinates=coordinates_of(kind, data), data=data,
        tags=data.tags, amounts=_bounded(_amounts(kind, data)),
        also=_also(kind, data),
    )


def coordinates_of(kind: str, data: Data) -> Coordinates | None:
    """Return which row of sums an event of this kind adds to; `None` for those that add to none.

    Raises:
        Malformed: it names neither model nor tool.
    """
    if kind == "threshold":
        return None
    if kind != "denied" and data.tool is None and data.model is None:
        raise Malformed("the event names neither model nor tool")
    ran, dims = data.invocation, data.dims
    what = "tool" if data.tool else (ran.kind if ran else "llm")
    return (
        dims.agent, dims.agent_version, ran.revision if ran else None, what,
        data.tool.name if data.tool else None, data.model.name if data.model else None,
        data.model.provider if data.model else None, dims.parent_agent, dims.env,
        {"adjusted": "adjusted", "denied": "denied"}.get(kind, data.outcome),
        data.reason if kind == "denied" else None,
        data.account.partition("|")[0] if kind == "denied" else None,
    )


def _also(kind: str, data: Data) -> str:
    if kind == "threshold":
        return f"threshold:{data.percent}"
    if kind != "attributed" or data.cost is None or data.model is None:
        return ""
    is_as_asked = data.model.response and data.cost.price_basis == "requested"
    is_for_nothing = any(line.meter.startswith(UNPRICED_TOOL) for line in data.cost.lines)
    return UNPRICED if is_as_asked or is_for_nothing else ""


def _amounts(kind: str, data: Data) -> Mapping[str, int]:
    if kind == "denied":
        return {"denials": 1}
    if kind == "threshold":
        return {}
    if kind == "adjusted":
        return {"cost_nano": data.delta_nano, "tokens": data.delta_tok,
                **_misplaced(data, data.delta_nano)}
    return _attributed(data)


def _bounded(amounts: Mapping[str, int]) -> Mapping[str, int]:
    """Return what is not 0; nothing that Redis could not add is ever sent to it."""
    found = {name: amount for name, amount in amounts.items() if amount}
    if any(abs(amount) > 2 * AMOUNT_MAX for amount in found.values()):
        raise Malformed("the event's amounts are out of range")
    return found


def _attributed(data: Data) -> Mapping[str, int]:
    if data.cost is None:
        raise Malformed("the event has no cost")
    usage, ran, nano = data.usage or Usage(), data.invocation, data.cost.total_nano
    failed = bool(data.result.error_type) or data.outcome == "forfeited"
    return {
        "cost_nano": nano, "invocations": 1, "tokens": usage.input_total + usage.output_total,
        "input_tokens": usage.input_total, "output_tokens": usage.output_total,
        "cache_read_tokens": usage.classes.get("cache_read", 0),
        "cache_write_tokens": sum(usage.classes.get(name, 0) for name in CACHE_WRITES),
        "cache_saved_nano": saved_nano(data.cost.lines),
        "reserved_nano": data.cost.reserved_nano or 0, "overrun_nano": data.cost.overrun_nano,
        "cold_starts": int(ran.cold_start) if ran else 0, "failures": int(failed),
        "retried_nano": nano if ran and ran.attempt > 1 else 0, "failed_nano": nano * failed,
        "duration_ms": between_ms(ran.started, ran.ended) or 0 if ran else 0,
        "unreserved_nano": nano if data.outcome == "unreserved" else 0,
        **_misplaced(data, nano),
    }


def _misplaced(data: Data, nano: int) -> Mapping[str, int]:
    lost = data.outcome == "unreserved" or not data.dims.agent or not data.dims.task
    return {"unattributed_nano": nano} if lost else {}


def is_tenant(name: str) -> bool:
    """Tell whether the text may be a tenant's name, and so stand in a key."""
    return bool(_TENANT.match(name))


def _tenant(event: Event, data: Data) -> str:
    tenant = event.source.removeprefix("/ledger/")
    if tenant == event.source or not is_tenant(tenant):
        raise Malformed(f"source {event.source!r} is not /ledger/<tenant>")
    if (data.dims.tenant or tenant) != tenant or event.extensions.get("tenantid", tenant) != tenant:
        raise Malformed(f"source {event.source!r} and the event's tenant differ")
    return tenant


def _numbered(event: Event, data: Data) -> tuple[str, int]:
    number, epoch = event.number("ledgerseq"), data.ledger.epoch
    if not 1 <= number <= NUMBER_MAX or not _EPOCH.match(epoch):
        raise Malformed(f"ledgerseq {number} of epoch {epoch!r}: a number from 1 and a name needed")
    return epoch, number


def at_ms(event: Event) -> int:
    """Return when it happened.

    Raises:
        Malformed: the event does not say, or it is long ago or far off.
    """
    if event.time is None:
        raise Malformed("the event has no time: its costs belong to no day")
    try:
        return milliseconds(datetime.fromisoformat(event.time.upper()))
    except ValueError as error:
        raise Malformed(f"the event's time: {error}") from error


def _bounded_id(event: Event) -> str:
    if len(event.id) > ID_CHARS_MAX:
        raise Malformed(f"the event's id has more than {ID_CHARS_MAX} characters")
    return event.id
