"""How fast money goes, and when a budget will be used up at that pace. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from functions.costs.pages.outlook import exhausted_in_s
from functions.costs.questions.rows import Row, Sums

HOURS = 3
"""Whole hours looked back at, and the hour that has begun: long enough to be no accident."""

HOUR_S = 3_600
CALLS_MIN = 3
"""Calls in those hours: fewer are single events, and say nothing about the next hours."""

WINDOW_MIN_S = 600
"""Of a window whose own pace is taken: its first calls would be taken for a flood."""

MEASURED = {"usd": "cost_nano", "tok": "tokens", "calls": "invocations"}
"""What is measured of a budget's unit."""

UNKNOWN, NEVER = "not enough data", "not at this pace"


def since(now: datetime) -> datetime:
    """Return the instant from which the pace is measured: kept sums have whole hours."""
    return now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS)


@dataclass(frozen=True, slots=True)
class Pace:
    """What was used in the last hours, by agent."""

    used: Mapping[str, Sums]
    over_s: int

    @classmethod
    def of(cls, rows: Iterable[Row], now: datetime) -> "Pace":
        """Return the pace of rows by agent that begin at `since`."""
        return cls({row.of["agent"] or "": row.sums for row in rows},
                   max(round((now - since(now)).total_seconds()), 1))

    @property
    def per_hour(self) -> int:
        """Return nano-USD per hour over all agents."""
        return self._hourly(self._whole.cost_nano)

    def of_budget(self, budget: Mapping[str, Any]) -> int | None:
        """Return what a budget's owner uses per hour, in the budget's unit.

        Of tenants and agents it is the pace of the last hours; otherwise the window's so far, as
        the ledger has it, `None` for a window without a beginning.
        """
        used = self._of(budget)
        if used is not None:
            return self._hourly(used.measure(MEASURED[budget["unit"]]))
        found = budget.get("per_hour")
        return None if found is None else int(found)

    def left(self, budget: Mapping[str, Any]) -> int | str | None:
        """Return in how many milliseconds a budget is used up, or why that cannot be said."""
        free, per_hour = budget.get("free"), self.of_budget(budget)
        if free is None or int(free) == 0:
            return None if free is None else 0
        if per_hour is None or not self._is_enough(budget, per_hour):
            return UNKNOWN
        seconds = exhausted_in_s(int(free), per_hour, HOUR_S)
        return NEVER if seconds is None else seconds * 1_000

    def _is_enough(self, budget: Mapping[str, Any], per_hour: int) -> bool:
        used = self._of(budget)
        if used is not None:
            return used.invocations >= CALLS_MIN
        lasted_s = int(budget.get("posted") or 0) * HOUR_S // per_hour if per_hour else 0
        return lasted_s >= WINDOW_MIN_S

    def _of(self, budget: Mapping[str, Any]) -> Sums | None:
        if budget["scope"] == "tenant":
            return self._whole
        return self.used.get(budget["id"], Sums()) if budget["scope"] == "agent" else None

    @property
    def _whole(self) -> Sums:
        return sum(self.used.values(), Sums())

    def _hourly(self, amount: int) -> int:
        return amount * HOUR_S // self.over_s
