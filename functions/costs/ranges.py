"""Cuts a time range into whole UTC days, whose sums are kept, and edges, which are summed anew."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

DAY_MS = 86_400_000


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
        start = day_start_ms(day)
        return self.holds(start) and self.holds(start + DAY_MS - 1)

    def touches(self, day: str) -> bool:
        """Tell whether any instant of the UTC day lies in the span."""
        start = day_start_ms(day)
        return ((self.start_ms is None or self.start_ms < start + DAY_MS)
                and (self.end_ms is None or start < self.end_ms))


def day_start_ms(day: str) -> int:
    """Return the first millisecond of a UTC day such as `2026-11-21`."""
    start = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
    return milliseconds(start)


def day_of(at_ms: int) -> str:
    """Return the UTC day of an instant."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)).date().isoformat()


def milliseconds(at: datetime) -> int:
    """Return an aware instant as whole milliseconds since the epoch, rounded down."""
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
