"""Names the time windows of a moment, in a tenant's time zone, without I/O."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from shared.limits import STATE_TTL_S

Window = Literal["life", "h", "d", "w", "m"]
HOUR_S = 3600

TTL_S: dict[str, int] = {"life": 0, "h": -7 * 86400, "d": -62 * 86400, "w": -90 * 86400,
                         "m": -400 * 86400}
"""How long an account of a window lives, counted from its first use (hence negative); 0 is ever."""

IDLE_TTL_S = STATE_TTL_S
"""Accounts of sessions and tasks live this long after each use."""


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows around a moment, and until when they are the right ones."""

    labels: dict[str, str]
    """Kind of window → what stands in the account's name."""
    utc: dict[str, str]
    """The same in UTC, for caps over tenants in several zones."""
    from_ms: int
    until_ms: int

    def __contains__(self, now_ms: int) -> bool:
        return self.from_ms <= now_ms < self.until_ms


def windows_at(now_s: float, zone: str = "UTC") -> Windows:
    """Return the windows of the moment; every one of them is right for the whole clock hour.

    Where the zone is off by half an hour, they are right until either clock strikes.
    """
    utc = datetime.fromtimestamp(now_s, UTC)
    local = utc.astimezone(ZoneInfo(zone))
    from_s = max(_hour_of(now_s, local), _hour_of(now_s, utc))
    until_s = min(_hour_of(now_s, local), _hour_of(now_s, utc)) + HOUR_S
    return Windows(labels=_labels(local), utc=_labels(utc),
                   from_ms=from_s * 1000, until_ms=until_s * 1000)


def _hour_of(now_s: float, moment: datetime) -> int:
    """Return when the clock last struck, in seconds since the epoch."""
    return int(now_s) - moment.minute * 60 - moment.second


def _labels(moment: datetime) -> dict[str, str]:
    year, week, _ = moment.isocalendar()
    return {"life": "life", "h": moment.strftime("h|%Y-%m-%dT%H"),
            "d": moment.strftime("d|%Y-%m-%d"), "w": f"w|{year}-W{week:02d}",
            "m": moment.strftime("m|%Y-%m")}


def bounds(window: str, now_s: float, zone: str = "UTC") -> tuple[float, float] | None:
    """Return when the window of that kind around the moment began and ends; `None` for `life`.

    Local midnights are asked of the zone, so that days of 23 or 25 hours are right.
    """
    local = datetime.fromtimestamp(now_s, UTC).astimezone(ZoneInfo(zone))
    today = datetime(local.year, local.month, local.day, tzinfo=ZoneInfo(zone))
    match window:
        case "h":
            struck = float(_hour_of(now_s, local))
            return struck, struck + HOUR_S
        case "d":
            first, after = today, today + timedelta(days=1)
        case "w":
            first = today - timedelta(days=local.weekday())
            after = first + timedelta(days=7)
        case "m":
            first = today.replace(day=1)
            after = (first + timedelta(days=32)).replace(day=1)
        case _:
            return None
    return first.timestamp(), after.timestamp()


def ends_at(window: str, now_s: float, zone: str = "UTC") -> float | None:
    """Return when the window of that kind around the moment ends; `None` if it never does."""
    found = bounds(window, now_s, zone)
    return found[1] if found else None


def known_zone(name: str) -> bool:
    """Tell whether there is such a time zone."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        return False
    return True
