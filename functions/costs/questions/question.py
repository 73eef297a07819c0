"""Reads a question about costs from a query string, and refuses one that makes no sense."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from functions.costs.questions.buckets import UTC_NAME, checked_zone
from functions.costs.questions.dimensions import (
    BUCKETS,
    COARSE,
    COST_TEXT,
    DEFAULT_MEASURES,
    FINE,
    MEASURES,
    TAG,
)
from functions.costs.questions.ranges import DAY_MS, YEARS, Span, milliseconds
from shared.errors import Permanent
from shared.limits import COST_HOURS_DAYS_MAX, COST_ROWS_SHOWN_MAX

DIMENSIONS = ("agent", "tool", "model", *(d for d in (*COARSE, *FINE) if d not in
                                          ("agent", "tool", "model")), "tenant", *BUCKETS)
FILTERS = (*COARSE, *FINE)
PARAMETERS = frozenset({"group_by", "from", "to", "tz", "tenant", "measures", "order", "limit",
                        *FILTERS})


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of one tenant's costs."""

    group_by: tuple[str, ...]
    span: Span = field(default_factory=Span)
    filters: Mapping[str, str] = field(default_factory=dict)
    measures: tuple[str, ...] = DEFAULT_MEASURES
    zone: str = UTC_NAME
    order: str = "-cost_nano"
    limit: int = COST_ROWS_SHOWN_MAX
    asked: Mapping[str, str] = field(default_factory=dict)
    """The parameters as they came."""

    @property
    def fine(self) -> bool:
        """Tell whether sessions, tasks or roots must be told apart."""
        return not set(FINE).isdisjoint((*self.group_by, *self.filters))

    @property
    def finest(self) -> str:
        """Return the smallest bucket of kept sums that tells the asked buckets apart."""
        found = next((bucket for bucket in BUCKETS if bucket in self.group_by), "month")
        return "day" if found in ("week", "month") and self.zoned else found

    @property
    def zoned(self) -> bool:
        """Tell whether buckets of time begin otherwise than in UTC."""
        return self.zone != UTC_NAME and not set(BUCKETS).isdisjoint(self.group_by)

    @property
    def ranked(self) -> bool:
        """Tell whether the dearest of whole days answer it: those of any number can be found."""
        days = all(at is None or at % DAY_MS == 0 for at in (self.span.start_ms, self.span.end_ms))
        return days and self.order == "-cost_nano" and set(BUCKETS).isdisjoint(self.group_by) \
            and not {"session", "task"}.isdisjoint(self.group_by)

    @property
    def wanted(self) -> tuple[str, ...]:
        """Return the measures to add up: those shown, and those of every answer."""
        ordered = self.order.removeprefix("-")
        also = (ordered,) if ordered in MEASURES else ()
        shown = tuple(name for name in self.measures if name != COST_TEXT)
        return tuple(dict.fromkeys((*DEFAULT_MEASURES, *shown, *also)))


def ask(parameters: Mapping[str, str]) -> Question:
    """Return the question of a query string; the default is by agent, of all time.

    Raises:
        Permanent: (422) an unknown parameter or dimension, a bad date, a range without any time.
    """
    known = f"known are {', '.join(sorted(PARAMETERS))}, tag.<key>"
    faults = [fault(name, f"unknown parameter; {known}")
              for name in parameters if name not in PARAMETERS and not name.startswith(TAG)]
    dimensions = _listed(parameters.get("group_by", "agent"), "group_by", DIMENSIONS, faults)
    measures = _listed(parameters.get("measures", ",".join(DEFAULT_MEASURES)), "measures",
                       (*MEASURES, COST_TEXT), faults)
    span = read_span(parameters, faults)
    order = _order(parameters, dimensions, faults)
    limit = read_limit(parameters, COST_ROWS_SHOWN_MAX, COST_ROWS_SHOWN_MAX, faults)
    refuse(faults)
    filters = {k: v for k, v in parameters.items() if k in FILTERS or k.startswith(TAG)}
    zone = checked_zone(parameters.get("tz", UTC_NAME), span)
    found = Question(dimensions, span, filters, measures, zone=zone, order=order, limit=limit,
                     asked=dict(parameters))
    _bounded(found)
    return found


def refuse(faults: list[dict[str, str]]) -> None:
    """Raise all faults at once, if there are any.

    Raises:
        Permanent: there is one.
    """
    if faults:
        raise Permanent("; ".join(f"{f['path']}: {f['message']}" for f in faults), errors=faults)


def fault(path: str, message: str) -> dict[str, str]:
    """Return what is wrong with one parameter."""
    return {"path": path, "message": message}


def _listed(text: str, name: str, allowed: tuple[str, ...],
            faults: list[dict[str, str]]) -> tuple[str, ...]:
    found = tuple(text.split(","))
    tags = name == "group_by"
    unknown = [d for d in found if d not in allowed and not (tags and len(d) > len(TAG)
                                                            and d.startswith(TAG))]
    if unknown or len(set(found)) < len(found):
        kind = "dimension" if tags else "measure"
        named = ", ".join(repr(d) for d in unknown) or f"a {kind} twice"
        more = ", tag.<key>" if tags else ""
        faults.append(fault(name, f"{named}; allowed are {', '.join(allowed)}{more}, "
                                  "several with commas, each once"))
    return found


def _order(parameters: Mapping[str, str], dimensions: tuple[str, ...],
           faults: list[dict[str, str]]) -> str:
    order = parameters.get("order", "-cost_nano")
    if order.removeprefix("-") not in (*MEASURES, *dimensions):
        faults.append(fault("order", f"{order!r} is neither a measure nor among group_by"))
    return order


def read_limit(parameters: Mapping[str, str], default: int, most: int,
               faults: list[dict[str, str]]) -> int:
    """Return how many entries a list shall have; what is wrong with that is added to the faults."""
    text = parameters.get("limit", str(default))
    if not text.isdecimal() or len(text) > len(str(most)) or not 1 <= int(text) <= most:
        faults.append(fault("limit", f"{text[:80]!r} is not a number from 1 to {most}"))
        return 1
    return int(text)


def _bounded(question: Question) -> None:
    span = question.span
    if "hour" not in question.group_by:
        return
    if span.start_ms is None or span.end_ms is None or \
            span.end_ms - span.start_ms > COST_HOURS_DAYS_MAX * DAY_MS:
        raise Permanent(f"group_by: hours are told apart over at most {COST_HOURS_DAYS_MAX} days: "
                        "give from and to")


def read_span(parameters: Mapping[str, str], faults: list[dict[str, str]]) -> Span:
    """Return the span of `from` and `to`; what is wrong with them is added to the faults."""
    start, end = _instant(parameters, "from", faults), _instant(parameters, "to", faults)
    if start is not None and end is not None and end <= start:
        faults.append(fault("to", "is not after `from`: `from` is included, `to` excluded"))
    return Span(start, end)


def _instant(parameters: Mapping[str, str], name: str, faults: list[dict[str, str]]) -> int | None:
    text = parameters.get(name)
    if text is None:
        return None
    try:
        return milliseconds(_parsed(text.replace(" ", "+")))  # a query string's + is a space
    except ValueError:
        faults.append(fault(name, f"{text!r} is neither a UTC day such as 2026-11-21 nor an "
                                  "instant with its offset such as 2026-11-21T09:30:00Z, from "
                                  f"{YEARS.start} to {YEARS.stop}"))
        return None


def _parsed(text: str) -> datetime:
    if len(text) == len("2026-11-21"):
        return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("no offset")
    return at
