"""Answers "what did it cost, by what?": reads the question, adds up the rows, without I/O."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from functions.costs.ranges import Span, milliseconds
from shared.errors import Permanent

DIMENSIONS = ("agent", "tool", "model", "kind", "session", "task", "tenant", "day")
EVER = Span()
FINE = frozenset({"session", "task"})
"""Only the fine sums tell these apart."""

FILTERS = ("agent", "tool", "model", "kind", "session", "task")
PARAMETERS = frozenset({"group_by", "from", "to", "tenant", *FILTERS})


@dataclass(frozen=True, slots=True)
class Sums:
    """What some invocations came to."""

    cost_nano: int = 0
    invocations: int = 0
    tokens: int = 0

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(self.cost_nano + other.cost_nano, self.invocations + other.invocations,
                    self.tokens + other.tokens)

    @classmethod
    def parse(cls, text: str) -> "Sums":
        """Return the sums as the script writes them."""
        cost, invocations, tokens = text.split(" ")
        return cls(int(cost), int(invocations), int(tokens))


@dataclass(frozen=True, slots=True)
class Row:
    """Sums under what they are for; `None` where a dimension does not apply."""

    of: Mapping[str, str | None]
    sums: Sums


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of one tenant's costs."""

    group_by: tuple[str, ...]
    span: Span = EVER
    filters: Mapping[str, str] = field(default_factory=dict)

    @property
    def fine(self) -> bool:
        """Tell whether sessions or tasks must be told apart."""
        return not FINE.isdisjoint((*self.group_by, *self.filters))


def ask(parameters: Mapping[str, str]) -> Question:
    """Return the question of a query string; the default is by agent, of all time.

    Raises:
        Permanent: (422) an unknown parameter or dimension, a bad date, a range without any time.
    """
    faults = [_fault(name, f"unknown parameter; known are {', '.join(sorted(PARAMETERS))}")
              for name in parameters if name not in PARAMETERS]
    dimensions = tuple(parameters.get("group_by", "agent").split(","))
    unknown = [d for d in dimensions if d not in DIMENSIONS]
    if unknown or len(set(dimensions)) < len(dimensions):
        named = ", ".join(repr(d) for d in unknown) or "a dimension twice"
        faults.append(_fault("group_by", f"{named}; allowed are {', '.join(DIMENSIONS)}, "
                                         "several with commas, each once"))
    start, end = _instant(parameters, "from", faults), _instant(parameters, "to", faults)
    if start is not None and end is not None and end <= start:
        faults.append(_fault("to", "is not after `from`: `from` is included, `to` excluded"))
    if faults:
        raise Permanent("; ".join(f"{f['path']}: {f['message']}" for f in faults), errors=faults)
    filters = {name: parameters[name] for name in FILTERS if name in parameters}
    return Question(dimensions, Span(start, end), filters)


def _fault(path: str, message: str) -> dict[str, str]:
    return {"path": path, "message": message}


def _instant(parameters: Mapping[str, str], name: str, faults: list[dict[str, str]]) -> int | None:
    text = parameters.get(name)
    if text is None:
        return None
    try:
        return milliseconds(_parsed(text.replace(" ", "+")))  # a query string's + is a space
    except (ValueError, OverflowError):
        faults.append(_fault(name, f"{text!r} is neither a UTC day such as 2026-11-21 nor an "
                                   "instant with its offset such as 2026-11-21T09:30:00Z"))
        return None


def _parsed(text: str) -> datetime:
    if len(text) == len("2026-11-21"):
        return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("no offset")
    return at


def grouped(question: Question, rows: Iterable[Row]) -> list[Row]:
    """Return the rows that pass the filters, added up by the dimensions, most expensive first."""
    found: dict[tuple[str | None, ...], Sums] = defaultdict(Sums)
    for row in rows:
        if all(row.of.get(name) == value for name, value in question.filters.items()):
            found[tuple(row.of.get(d) for d in question.group_by)] += row.sums
    ordered = sorted(found.items(), key=lambda item: (-item[1].cost_nano, str(item[0])))
    return [Row(dict(zip(question.group_by, key, strict=True)), sums) for key, sums in ordered]


def total(rows: Iterable[Row]) -> Sums:
    """Return the sum of all rows."""
    return sum((row.sums for row in rows), Sums())


def answer(tenant: str, question: Question, rows: list[Row]) -> dict[str, Any]:
    """Return the body of `GET /v1/costs`; the rows add up to the totals exactly."""
    whole = total(rows)
    return {
        "tenant": tenant, "group_by": list(question.group_by),
        "rows": [{**row.of, **_plain(row.sums)} for row in rows],
        "total_nano": whole.cost_nano, "invocations": whole.invocations, "tokens": whole.tokens,
    }


def _plain(sums: Sums) -> dict[str, int]:
    return {"cost_nano": sums.cost_nano, "invocations": sums.invocations, "tokens": sums.tokens}


def coordinates(kept: str, *, tenant: str, day: str) -> dict[str, str | None]:
    """Return the dimensions of kept sums: JSON `[agent, kind, name]` or `[…, session, task]`."""
    agent, kind, name, *rest = json.loads(kept)
    session, task = rest or (None, None)
    return {"tenant": tenant, "day": day, "agent": agent, "kind": kind,
            "tool": name if kind == "tool" else None, "model": None if kind == "tool" else name,
            "session": session, "task": task}
