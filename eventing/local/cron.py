"""Reads five-field cron schedules and finds the next minute they name (crontab(5))."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of month", 1, 31), ("month", 1, 12),
          ("day of week", 0, 7))
SEARCH_DAYS_MAX = 366 * 8
"""29 February comes back after eight years at the latest."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The allowed values of each field; either day field may match if both are restricted."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    days_open: bool
    weekdays_open: bool

    def next_after(self, now_s: float) -> float:
        """Return the first matching minute after `now_s`, both in epoch seconds, in UTC.

        Raises:
            ValueError: there is none, such as on 30 February.
        """
        first = datetime.fromtimestamp(now_s, UTC).replace(second=0, microsecond=0)
        moment = first + timedelta(minutes=1)
        for _ in range(SEARCH_DAYS_MAX):
            if self._day_matches(moment) and (found := self._in_day(moment)):
                return found.timestamp()
            moment = moment.replace(hour=0, minute=0) + timedelta(days=1)
        raise ValueError("the schedule never fires")

    def _day_matches(self, moment: datetime) -> bool:
        by_day, by_weekday = moment.day in self.days, moment.isoweekday() % 7 in self.weekdays
        either = by_day or by_weekday
        both = by_day and by_weekday
        return moment.month in self.months and (
            both if self.days_open or self.weekdays_open else either)

    def _in_day(self, start: datetime) -> datetime | None:
        times = ((h, m) for h in sorted(self.hours) for m in sorted(self.minutes))
        found = next((t for t in times if t >= (start.hour, start.minute)), None)
        return start.replace(hour=found[0], minute=found[1]) if found else None


def parse(text: str) -> Schedule:
    """Return the schedule of five fields with `*`, lists, ranges and steps.

    Raises:
        ValueError: another number of fields, or a value outside its field.
    """
    parts = text.split()
    if len(parts) != len(FIELDS):
        raise ValueError(f"schedule {text!r} has {len(parts)} fields; cron has 5")
    sets = [_field(part, *bounds) for part, bounds in zip(parts, FIELDS, strict=True)]
    weekdays = frozenset(day % 7 for day in sets[4])
    return Schedule(sets[0], sets[1], sets[2], sets[3], weekdays, parts[2].startswith("*"),
                    parts[4].startswith("*"))


def _field(text: str, name: str, low: int, high: int) -> frozenset[int]:
    values: set[int] = set()
    for item in text.split(","):
        values |= _item(item, name, low, high)
    return frozenset(values)


def _item(item: str, name: str, low: int, high: int) -> set[int]:
    span, _, step = item.partition("/")
    number = _whole(name, 1, high)
    every = number(step) if step else 1
    if span == "*":
        return set(range(low, high + 1, every))
    first, _, last = span.partition("-")
    number = _whole(name, low, high)
    end = number(last) if last else (high if step else number(first))
    if end < number(first):
        raise ValueError(f"{name} {item!r} ends before it begins")
    return set(range(number(first), end + 1, every))


def _whole(name: str, low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= high:
            raise ValueError(f"{name} {text!r} is not a number from {low} to {high}")
        return int(text)
    return read
