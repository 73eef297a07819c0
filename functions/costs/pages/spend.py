"""The page *Spend*: what was spent, by what, against before, and where it is heading."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from functions.costs.pages import spend_tables
from functions.costs.pages.periods import Period
from functions.costs.pages.shown import Shown
from functions.costs.pages.spend_tables import Before
from functions.costs.pages.tables import Card, Cell, Table, columns, share
from functions.costs.pages.visit import FIGURES, Visit
from functions.costs.questions.dimensions import COARSE, FINE, TAG
from functions.costs.questions.rows import Row, total
from shared.errors import Permanent

CHOICES = ("agent", "tool", "model", "provider", "kind", "session", "task", "env", "outcome",
           "parent_agent")
"""Offered for a click; every other dimension works in the address."""

PAST_DAYS = 92
"""What forecasts and unusual days look back at."""

FINE_SHOWN, ROWS_SHOWN = "100", 1000
"""Rows: of sessions and tasks the dearest only."""

COST = "cost_nano"


async def spend(visit: Visit) -> Shown:
    """Return the page.

    Raises:
        Permanent: (422) an unknown dimension, days that are none.
    """
    by = dimension(visit)
    drawn = "agent" if by in FINE else by
    (timed, agents, rows), days, past = await asyncio.gather(
        visit.each(f"{visit.period.bucket},{drawn}", "agent", drawn),
        visit.rows("day", Period(visit.today - timedelta(PAST_DAYS), visit.today + timedelta(1)),
                   measures=COST), _before(visit, by))
    if by in FINE:
        rows = await _dearest(visit, by)
    costs = spend_tables.daily(days)
    return Shown("spend", "Spend", _cards(agents, past and past.whole), [
        spend_tables.over_time(visit, drawn, timed),
        spend_tables.by_dimension(visit, by, rows[:ROWS_SHOWN], all_rows=agents, before=past),
        spend_tables.forecast(costs, visit.today), *units(await _units(visit)),
        spend_tables.anomalies(costs, spend_tables.days_of(visit)), spend_tables.outcomes(agents)],
        more={"by": by, "choices": CHOICES})


async def _before(visit: Visit, by: str) -> Before | None:
    """Return the period before; `None` if the page's has no beginning or no end."""
    span = visit.period.before
    if span is None:
        return None
    if by in FINE:
        whole, rows = (await visit.rows("agent", span, measures=COST),
                       await _dearest(visit, by, span, measures=COST))
    else:
        whole, rows = await visit.each("agent", by, span=span, measures=COST)
    return Before(rows, total(whole).cost_nano)


async def _dearest(visit: Visit, by: str, span: Period | None = None, *,
                   measures: str = FIGURES) -> list[Row]:
    if by == "root":
        return (await visit.rows(by, span, measures=measures))[:int(FINE_SHOWN)]
    return await visit.dearest(by, FINE_SHOWN, span, measures=measures)


async def _units(visit: Visit) -> Mapping[str, Any] | str:
    """Return what a task costs, or why that cannot be said."""
    kept = {k: v for k, v in visit.filters.items() if k in ("agent", "session", "env")}
    try:
        found: Mapping[str, Any] = await visit.api(
            "/v1/unit-costs", {**visit.period.parameters, **kept})
    except Permanent as error:
        return error.detail
    return found


def units(found: Mapping[str, Any] | str) -> list[Table]:
    """Return what a task, a successful task and a session cost on average, and how tasks ended."""
    told, why = ({}, found) if isinstance(found, str) else (found, "")
    each: list[tuple[Cell, ...]] = [
        (title, told[count], told[f"per_{name}_nano"]) for title, count, name in (
            ("Task", "tasks", "task"), ("Successful task", "successful", "successful_task"),
            ("Session", "sessions", "session"))] if told else []
    ends: list[tuple[Cell, ...]] = [
        (name.capitalize(), count, told["ends_nano"].get(name))
        for name, count in told["ends"].items()] if told else []
    return [
        Table("units", "Unit costs", columns("Of a", ("Count", "count"), ("Cost each", "usd")),
              each, note="All costs ÷ count, whole nano-USD, rounded down: what failed is borne by "
              "what succeeded. Successful: completed in this time, without an error.", empty=why),
        Table("ends", "How tasks ended", columns(
            "End", ("Tasks", "count"), ("Had cost by then", "usd")), ends, empty=why,
            note="Partial: completed with an error, as over budget or at the last step. Running: "
            "no end has come yet.")]


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


def _cards(rows: list[Row], was: int | None) -> list[Card]:
    whole = total(rows)
    cards = [Card("Cost", whole.cost_nano, "usd", name="total"),
             Card("Calls", whole.invocations, "count", name="invocations"),
             Card("Tokens", whole.tokens, "count", name="tokens"),
             Card("Failed work", whole.measure("failed_nano"), "usd",
                  note=_part(whole.measure("failed_nano"), whole.cost_nano)),
             Card("Retried work", whole.measure("retried_nano"), "usd"),
             Card("Unattributed", whole.measure("unattributed_nano"), "usd", name="unattributed")]
    if was is not None:
        cards.insert(1, Card("Against before", whole.cost_nano - was, "usd",
                             note=_part(whole.cost_nano - was, was, "{:+.1f} %")))
    return cards


def _part(part: int, whole: int, form: str = "{:.1f} % of all") -> str:
    found = share(part, whole)
    return "" if found is None else form.format(found / 100).replace("-", "−")
