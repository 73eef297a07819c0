"""The page *Spend*: what was spent, by what, against before, and where it is heading."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from functions.costs import view_spend
from functions.costs.dimensions import COARSE, FINE, TAG
from functions.costs.periods import Period
from functions.costs.report import Row, Sums
from functions.costs.shown import Shown
from functions.costs.tables import Card, Cell, Table, columns, share
from functions.costs.visit import Visit
from shared.errors import Permanent

CHOICES = ("agent", "tool", "model", "provider", "kind", "session", "task", "env", "outcome",
           "parent_agent")
"""Offered for a click; every other dimension works in the address."""

PAST_DAYS = 92
"""What forecasts and unusual days look back at."""

FINE_SHOWN, ROWS_SHOWN = "100", "1000"
"""Rows: of sessions and tasks the dearest only."""


async def spend(visit: Visit) -> Shown:
    """Return the page.

    Raises:
        Permanent: (422) an unknown dimension, days that are none.
    """
    by = dimension(visit)
    limit = FINE_SHOWN if by in FINE else ROWS_SHOWN
    bucket, drawn = visit.period.bucket, "agent" if by in FINE else by
    rows, timed, agents, days = await asyncio.gather(
        visit.rows(by, limit=limit), visit.rows(f"{bucket},{drawn}"), visit.rows("agent"),
        visit.rows("day", Period(visit.today - timedelta(PAST_DAYS), visit.today + timedelta(1))))
    before = await visit.rows(by, visit.period.before, limit=limit) if visit.period.before else None
    costs = view_spend.daily(days)
    return Shown("spend", "Spend", _cards(agents, before), [
        view_spend.over_time(visit, drawn, timed),
        view_spend.by_dimension(visit, by, rows[:int(limit)], before),
        view_spend.forecast(costs, visit.today),
        units(await _units(visit)),
        view_spend.anomalies(costs, view_spend.days_of(visit)), view_spend.outcomes(agents)],
        more={"by": by, "choices": CHOICES})


async def _units(visit: Visit) -> Mapping[str, Any] | str:
    """Return what a task costs, or why that cannot be said."""
    kept = {k: v for k, v in visit.filters.items() if k in ("agent", "session", "env")}
    try:
        found: Mapping[str, Any] = await visit.api(
            "/v1/unit-costs", {**visit.period.parameters, **kept})
    except Permanent as error:
        return error.detail
    return found


def units(found: Mapping[str, Any] | str) -> Table:
    """Return what a task, a successful task and a session cost on average."""
    told = {} if isinstance(found, str) else found
    rows: list[tuple[Cell, ...]] = [
        (title, told[count], told[f"per_{name}_nano"]) for title, count, name in (
            ("Task", "tasks", "task"), ("Successful task", "successful", "successful_task"),
            ("Session", "sessions", "session"))] if told else []
    return Table("units", "Unit costs", columns("Of a", ("Count", "count"), ("Cost each", "usd")),
                 rows, note="All costs ÷ count, whole nano-USD, rounded down: what failed is borne "
                 "by what succeeded.", empty=found if isinstance(found, str) else "")


def dimension(visit: Visit) -> str:
    """Return by what the page tells its figures apart.

    Raises:
        Permanent: (422) there is no such dimension.
    """
    by = visit.asked.get("by", "agent")
    if by not in (*COARSE, *FINE) and not by.startswith(TAG):
        raise Permanent(f"by: {by!r} is no dimension; there are {', '.join((*COARSE, *FINE))}, "
                        "tag.<key>")
    return by


def _cards(rows: list[Row], before: list[Row] | None) -> list[Card]:
    whole = sum((row.sums for row in rows), Sums())
    cards = [Card("Cost", whole.cost_nano, "usd", name="total"),
             Card("Calls", whole.invocations, "count", name="invocations"),
             Card("Tokens", whole.tokens, "count", name="tokens"),
             Card("Failed work", whole.measure("failed_nano"), "usd",
                  note=_part(whole.measure("failed_nano"), whole.cost_nano)),
             Card("Retried work", whole.measure("retried_nano"), "usd"),
             Card("Unattributed", whole.measure("unattributed_nano"), "usd", name="unattributed")]
    if before is not None:
        was = sum(row.sums.cost_nano for row in before)
        cards.insert(1, Card("Against before", whole.cost_nano - was, "usd",
                             note=_part(whole.cost_nano - was, was)))
    return cards


def _part(part: int, whole: int) -> str:
    found = share(part, whole)
    return "" if found is None else f"{found / 100:+.1f} %" if part < 0 else f"{found / 100:.1f} %"
