"""The span of days that a page shows, the one before it, and what one asks for by a click."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from functions.costs.questions.question import ask
from functions.costs.questions.ranges import YEARS

FIRST_DAY = date(YEARS.start, 1, 1)
DAYS_SHOWN = 30
"""A page shows as many days up to today unless told otherwise."""

HOURS_UNTIL_DAYS = 2
WEEKS_FROM_DAYS = 120
MONTHS_FROM_DAYS = 800
"""A chart has at most some 120 points; more would not be told apart on a phone."""


@dataclass(frozen=True, slots=True)
class Period:
    """From `start`, included, to `end`, excluded, in UTC; both `None` is of all time."""

    start: date | None
    end: date | None

    @property
    def days(self) -> int | None:
        """Return how many days it has; `None` without a beginning or an end."""
        return (self.end - self.start).days if self.start and self.end else None

    @property
    def before(self) -> "Period | None":
        """Return the period just before, equally long; none without an end, or before 1970."""
        if not self.start or not self.end or self.end - self.start > self.start - FIRST_DAY:
            return None
        return Period(self.start - (self.end - self.start), self.start)

    @property
    def bucket(self) -> str:
        """Return the time bucket that a chart of it is drawn in."""
        days = self.days
        if days is None or days > MONTHS_FROM_DAYS:
            return "month"
        if days > WEEKS_FROM_DAYS:
            return "week"
        return "hour" if days <= HOURS_UNTIL_DAYS else "day"

    @property
    def parameters(self) -> dict[str, str]:
        """Return it as the API's parameters."""
        found = {"from": self.start, "to": self.end}
        return {name: day.isoformat() for name, day in found.items() if day}

    def labels(self) -> Iterator[str]:
        """Yield the names of all buckets, also of those without costs; none of all time."""
        if not self.start or not self.end or self.bucket in ("week", "month"):
            return
        for n in range((self.end - self.start).days):
            day = (self.start + timedelta(n)).isoformat()
            if self.bucket == "day":
                yield day
            else:
                yield from (f"{day}T{hour:02d}" for hour in range(24))


def period(asked: Mapping[str, str], today: date) -> Period:
    """Return the period of a page's parameters: `all`, or `from` and `to`, or the last days.

    Raises:
        Permanent: (422) no such day, or a period upside down.
    """
    if "all" in asked:
        return Period(None, None)
    span = ask({name: asked[name] for name in ("from", "to") if asked.get(name)}).span
    start, end = _day(span.start_ms), _day(span.end_ms)
    if not start and not end:
        return Period(today - timedelta(DAYS_SHOWN - 1), today + timedelta(1))
    return Period(start, end or today + timedelta(1))


def today_of(today: date) -> Period:
    """Return the period of one day."""
    return Period(today, today + timedelta(1))


def presets(today: date) -> list[tuple[str, dict[str, str]]]:
    """Return what one asks for most: a title, and the parameters."""
    first, after = today.replace(day=1), today + timedelta(1)
    last = (first - timedelta(1)).replace(day=1)
    spans = [("Today", today, after), ("7 days", today - timedelta(6), after),
             ("30 days", today - timedelta(29), after), ("This month", first, after),
             ("Last month", last, first)]
    return [*((title, {"from": start.isoformat(), "to": end.isoformat()})
              for title, start, end in spans), ("All time", {"all": "1"})]


def _day(at_ms: int | None) -> date | None:
    return None if at_ms is None else FIRST_DAY + timedelta(milliseconds=at_ms)
