"""Cuts a time range into whole UTC months, days and hours, whose sums are kept, and edges."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import groupby

HOUR_MS = 3_600_000
DAY_MS = 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
YEARS = range(1970, 2200)
"""What times lie in: names of days stay as long as they are, and no sum of times runs over."""

END_MS = (date(YEARS.stop, 1, 1) - _EPOCH.date()).days * DAY_MS


@dataclass(frozen=True, slots=True)
class Span:
    """From `start_ms`, included, to `end_ms`, excluded; `None` is without an end."""

    start_ms: int | None = None
    end_ms: int | None = None

    def holds(self, at_ms: int) -> bool:
        """Tell whether the instant lies in the span."""
        return ((self.start_ms is None or self.start_ms <= at_ms)
                and (self.end_ms is None or at_ms < self.end_ms))

    def covers(self, day: str) -> bool:
        """Tell whether the whole UTC day lies in the span."""
        return self._covers(day_start_ms(day), DAY_MS)

    def touches(self, day: str) -> bool:
        """Tell whether any instant of the UTC day lies in the span."""
        return self._touches(day_start_ms(day), DAY_MS)

    def covers_hour(self, hour: str) -> bool:
        """Tell whether the whole UTC hour lies in the span."""
        return self._covers(hour_start_ms(hour), HOUR_MS)

    def touches_hour(self, hour: str) -> bool:
        """Tell whether any instant of the UTC hour lies in the span."""
        return self._touches(hour_start_ms(hour), HOUR_MS)

    def _covers(self, start: int, length: int) -> bool:
        return self.holds(start) and self.holds(start + length - 1)

    def _touches(self, start: int, length: int) -> bool:
        return ((self.start_ms is None or self.start_ms < start + length)
                and (self.end_ms is None or start < self.end_ms))


@dataclass(frozen=True, slots=True)
class Pieces:
    """What a span is put together from: labels of kept sums, and hours to be read by event."""

    whole: tuple[str, ...]
    """`2026-11`, `2026-11-21` or `2026-11-21T09`."""
    edges: tuple[str, ...]
    """Hours that only partly lie in the span."""


def pieces(span: Span, days: Iterable[str], finest: str) -> Pieces:
    """Return the pieces of a span over days with events.

    `finest` is the smallest bucket that must be told apart: hour, day, week or month.
    """
    whole: list[str] = []
    edges: list[str] = []
    for month, each in groupby(sorted(days), key=lambda day: day[:7]):
        listed = list(each)
        if finest == "month" and all(map(span.covers, listed)):
            whole.append(month)
            continue
        for day in filter(span.touches, listed):
            if finest != "hour" and span.covers(day):
                whole.append(day)
                continue
            for hour in filter(span.touches_hour, hours_of(day)):
                (whole if span.covers_hour(hour) else edges).append(hour)
    return Pieces(tuple(whole), tuple(edges))


def hours_of(day: str) -> Iterator[str]:
    """Yield the 24 hours of a UTC day."""
    return (f"{day}T{hour:02d}" for hour in range(24))


def day_start_ms(day: str) -> int:
    """Return the first millisecond of a UTC day such as `2026-11-21`."""
    return (date.fromisoformat(day) - _EPOCH.date()).days * DAY_MS


def hour_start_ms(hour: str) -> int:
    """Return the first millisecond of a UTC hour such as `2026-11-21T09`."""
    return day_start_ms(hour[:10]) + int(hour[11:]) * HOUR_MS


def day_of(at_ms: int) -> str:
    """Return the UTC day of an instant."""
    return hour_of(at_ms)[:len("2026-11-21")]


def hour_of(at_ms: int) -> str:
    """Return the UTC hour of an instant."""
    return _hour_label(at_ms // HOUR_MS)


@lru_cache(maxsize=1024)
def _hour_label(number: int) -> str:
    return (_EPOCH + timedelta(hours=number)).strftime("%Y-%m-%dT%H")


def milliseconds(at: datetime) -> int:
    """Return an aware instant as whole milliseconds since the epoch, rounded down.

    Raises:
        ValueError: it lies outside `YEARS`; their very end is allowed.
    """
    found = (at - _EPOCH) // timedelta(milliseconds=1)
    if not 0 <= found <= END_MS:
        raise ValueError(f"{at.isoformat()} lies outside {YEARS.start} to {YEARS.stop}")
    return found


def month_span(month: str) -> Span:
    """Return the span of a UTC month such as `2026-11`.

    Raises:
        ValueError: this is no month, or one before 1970.
    """
    return Span(*(day_start_ms(day.isoformat()) for day in month_ends(month)))


def month_ends(month: str) -> tuple[date, date]:
    """Return the first day of a month such as `2026-11`, and the first one after it.

    Raises:
        ValueError: this is no month, or one before 1970.
    """
    first = date.fromisoformat(f"{month}-01")
    if len(month) != len("2026-11") or not YEARS.start <= first.year < MAXYEAR:
        raise ValueError(f"{month!r} is no month such as 2026-11")
    return first, (first + timedelta(days=32)).replace(day=1)
