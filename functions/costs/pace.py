"""How fast money goes, and when a budget will be used up at that pace. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from functions.costs.outlook import exhausted_in_s
from functions.costs.report import Row

HOURS = 3
"""Whole hours looked back at, and the hour that has begun: long enough to be no accident."""

HOUR_S = 3_600


def since(now: datetime) -> datetime:
    """Return the instant from which the pace is measured: kept sums have whole hours."""
    return now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS)


@dataclass(frozen=True, slots=True)
class Pace:
    """What was spent in the last hours, by agent."""

    burnt: Mapping[str, int]
    over_s: int

    @classmethod
    def of(cls, rows: Iterable[Row], now: datetime) -> "Pace":
        """Return the pace of rows by agent that begin at `since`."""
        return cls({row.of["agent"] or "": row.sums.cost_nano for row in rows},
                   max(round((now - since(now)).total_seconds()), 1))

    @property
    def per_hour(self) -> int:
        """Return nano-USD per hour over all agents."""
        return sum(self.burnt.values()) * HOUR_S // self.over_s

    def of_budget(self, budget: Mapping[str, Any]) -> int | None:
        """Return what a budget's owner spends per hour, in the budget's unit.

        Of tenants and agents it is the pace of the last hours; otherwise the window's so far, as
        the ledger has it, `None` for a window without a beginning.
        """
        if budget["unit"] == "usd" and budget["scope"] == "tenant":
            return self.per_hour
        if budget["unit"] == "usd" and budget["scope"] == "agent":
            return self.burnt.get(budget["id"], 0) * HOUR_S // self.over_s
        found = budget.get("per_hour")
        return None if found is None else int(found)

    def left_ms(self, budget: Mapping[str, Any]) -> int | None:
        """Return in how many milliseconds a budget is used up; `None`: not at this pace."""
        free, per_hour = budget.get("free"), self.of_budget(budget)
        if free is None or per_hour is None:
            return None
        seconds = exhausted_in_s(int(free), per_hour, HOUR_S)
        return None if seconds is None else seconds * 1_000
