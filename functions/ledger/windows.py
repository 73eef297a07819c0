"""Names the time windows of a moment, in a tenant's time zone, without I/O."""

from dataclasses import dataclass
from datetime import UTC, datetime
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
    from_ms: int
    until_ms: int

    def __contains__(self, now_ms: int) -> bool:
        return self.from_ms <= now_ms < self.until_ms


def windows_at(now_s: float, zone: str = "UTC") -> Windows:
    """Return the windows of the moment; every one of them is right for the whole clock hour."""
    local = datetime.fromtimestamp(now_s, UTC).astimezone(ZoneInfo(zone))
    year, week, _ = local.isocalendar()
    from_s = int(now_s) - local.minute * 60 - local.second
    return Windows(
        labels={"life": "life", "h": local.strftime("h|%Y-%m-%dT%H"),
                "d": local.strftime("d|%Y-%m-%d"), "w": f"w|{year}-W{week:02d}",
                "m": local.strftime("m|%Y-%m")},
        from_ms=from_s * 1000, until_ms=(from_s + HOUR_S) * 1000)
