"""Reads what the cost store needs out of a ledger event, without I/O.

A tolerant reader: it checks the fields it adds up and leaves the rest to whoever reads the event
later, so that a ledger rolled out before costs loses no event for a field that is new.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from eventing.event import Event
from eventing.types_ledger import (
    LedgerAdjusted,
    LedgerAttributed,
    LedgerDenied,
    LedgerThresholdCrossed,
)
from functions.costs.ranges import day_of, milliseconds
from functions.costs.report import Row, Sums, coordinates
from functions.costs.sequence import NUMBER_MAX
from shared.errors import Malformed, Permanent

KINDS = {
    LedgerAttributed.TYPE: "attributed", LedgerAdjusted.TYPE: "adjusted",
    LedgerDenied.TYPE: "denied", LedgerThresholdCrossed.TYPE: "threshold",
}
"""What each event type is called in the store."""

AMOUNT_MAX = 2**53 - 1
"""What a Lua number holds exactly; the ledger has the same bound."""

ID_CHARS_MAX = 256
_TENANT = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\Z")
_EPOCH = re.compile(r"[A-Za-z0-9.-]{1,64}\Z")


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Dims(_Read):
    tenant: str = ""
    agent: str = Field(default="", max_length=ID_CHARS_MAX)
    session: str = Field(default="", max_length=ID_CHARS_MAX)
    task: str = Field(default="", max_length=ID_CHARS_MAX)


class _Invocation(_Read):
    kind: Literal["llm", "tool", "embedding"]


class _Model(_Read):
    provider: str = ""
    requested: str | None = None
    selected: str | None = None
    response: str | None = None

    @property
    def name(self) -> str:
        """Return `provider/model` as it was billed: by the model that answered, if one did."""
        model = self.response or self.selected or self.requested or "unknown"
        return model if model.startswith(f"{self.provider}/") else f"{self.provider}/{model}"


class _Tool(_Read):
    name: str


class _Usage(_Read):
    input_total: int = Field(default=0, ge=0, le=AMOUNT_MAX)
    output_total: int = Field(default=0, ge=0, le=AMOUNT_MAX)


class _Cost(_Read):
    total_nano: int = Field(ge=0, le=AMOUNT_MAX)


class _Numbered(_Read):
    epoch: str = ""


class _Data(_Read):
    """The fields of any ledger event that sums, lists and checks need."""

    dims: _Dims = _Dims()
    invocation: _Invocation | None = None
    model: _Model | None = None
    tool: _Tool | None = None
    usage: _Usage | None = None
    cost: _Cost | None = None
    delta_nano: int = Field(default=0, ge=-AMOUNT_MAX, le=AMOUNT_MAX)
    delta_tok: int = Field(default=0, ge=-AMOUNT_MAX, le=AMOUNT_MAX)
    ledger: _Numbered = _Numbered()


@dataclass(frozen=True, slots=True)
class Fact:
    """One event of the ledger, as it counts."""

    id: str
    tenant: str
    kind: str
    epoch: str
    number: int
    at_ms: int
    agent: str
    session: str
    task: str
    what: str
    """llm, tool, embedding; empty for events that cost nothing by themselves."""
    name: str
    """The model or the tool."""
    sums: Sums

    @property
    def day(self) -> str:
        """Return the UTC day that the event counts for."""
        return day_of(self.at_ms)

    @property
    def fields(self) -> tuple[str, str]:
        """Return the names of its sums, coarse and fine; both empty if it adds to none."""
        if not self.what:
            return "", ""
        coarse = [self.agent, self.what, self.name]
        return _json(coarse), _json([*coarse, self.session, self.task])

    @property
    def row(self) -> Row:
        """Return the event as a row of costs."""
        fine = self.fields[1] or _json([self.agent, None, None, self.session, self.task])
        return Row(coordinates(fine, tenant=self.tenant, day=self.day), self.sums)


def _json(value: list[str | None] | list[str]) -> str:
    return json.dumps(value, separators=(",", ":"))


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
    data = _Data.model_validate_json(event.data or b"")
    what, name = _what(data) if kind in ("attributed", "adjusted") else ("", "")
    epoch, number = _numbered(event, data)
    return Fact(
        id=_bounded_id(event), tenant=_tenant(event, data), kind=kind, epoch=epoch, number=number,
        at_ms=_at_ms(event), agent=data.dims.agent, session=data.dims.session,
        task=data.dims.task, what=what, name=name, sums=_sums(kind, data),
    )


def _what(data: _Data) -> tuple[str, str]:
    if data.tool is not None:
        return "tool", data.tool.name
    if data.model is None:
        raise Malformed("the event names neither model nor tool")
    return data.invocation.kind if data.invocation else "llm", data.model.name


def _sums(kind: str, data: _Data) -> Sums:
    if kind == "adjusted":
        return Sums(data.delta_nano, 0, data.delta_tok)
    if kind != "attributed":
        return Sums()
    if data.cost is None:
        raise Malformed("the event has no cost")
    usage = data.usage or _Usage()
    return Sums(data.cost.total_nano, 1, usage.input_total + usage.output_total)


def _tenant(event: Event, data: _Data) -> str:
    tenant = event.source.removeprefix("/ledger/")
    if tenant == event.source or not _TENANT.match(tenant):
        raise Malformed(f"source {event.source!r} is not /ledger/<tenant>")
    if (data.dims.tenant or tenant) != tenant or event.extensions.get("tenantid", tenant) != tenant:
        raise Malformed(f"source {event.source!r} and the event's tenant differ")
    return tenant


def _numbered(event: Event, data: _Data) -> tuple[str, int]:
    number, epoch = event.number("ledgerseq"), data.ledger.epoch
    if not 1 <= number <= NUMBER_MAX or not _EPOCH.match(epoch):
        raise Malformed(f"ledgerseq {number} of epoch {epoch!r}: a number from 1 and a name needed")
    return epoch, number


def _at_ms(event: Event) -> int:
    if event.time is None:
        raise Malformed("the event has no time: its costs belong to no day")
    return milliseconds(datetime.fromisoformat(event.time.upper()))


def _bounded_id(event: Event) -> str:
    if len(event.id) > ID_CHARS_MAX:
        raise Malformed(f"the event's id has more than {ID_CHARS_MAX} characters")
    return event.id
