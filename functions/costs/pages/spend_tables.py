"""Arranges what was spent: over time, by dimension, against before, and where it is heading."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import NamedTuple

from functions.costs.pages import outlook
from functions.costs.pages.tables import Cell, Chart, Link, Table, columns, share
from functions.costs.pages.visit import Visit
from functions.costs.questions.rows import Row, Sums, total

PARTS_MAX = 6
"""Colours that people tell apart; the rest is one."""

NEXT = {"agent": "session", "session": "task", "root": "task", "tool": "agent", "model": "agent",
        "provider": "model", "kind": "agent", "parent_agent": "agent", "env": "agent",
        "outcome": "agent"}
"""By what a row's figures are told apart after a click."""

NONE = "(none)"


def over_time(visit: Visit, by: str, rows: Sequence[Row]) -> Table:
    """Return the cost of each bucket of time, by the dearest values of a dimension."""
    bucket, whole = visit.period.bucket, _summed(rows, by)
    names = sorted(whole, key=lambda name: -whole[name].cost_nano)
    shown = names[:PARTS_MAX]
    parts = [*shown, *(["others"] if len(names) > PARTS_MAX else [])]
    found: dict[str, dict[str, int]] = {label: {} for label in visit.period.labels()}
    for row in rows:
        at = found.setdefault(row.of[bucket] or NONE, {})
        name = _name(row, by) if _name(row, by) in shown else "others"
        at[name] = at.get(name, 0) + row.sums.cost_nano
    lines: list[tuple[Cell, ...]] = [
        (at, *(found[at].get(name, 0) for name in parts), sum(found[at].values()))
        for at in sorted(found)]
    titles = columns((bucket.capitalize(), "time"), *((name, "usd") for name in (*parts, "Total")))
    return Table("over-time", f"Spend by {bucket} and {by.replace('_', ' ')}", titles, lines,
                 chart=Chart("stack", f"Spend by {bucket}, piled up by {by}") if rows else None,
                 empty="Nothing was spent in this time.", wide=True)


class Before(NamedTuple):
    """The equally long time just before."""

    rows: Sequence[Row]
    """By the same dimension, the dearest at least."""
    whole: int
    """All of its cost in nano-USD, also of what the rows leave out."""


def by_dimension(visit: Visit, by: str, rows: Sequence[Row], *, all_rows: Sequence[Row],
                 before: Before | None) -> Table:
    """Return the sums of a dimension beside those of the period before.

    `rows` may be the dearest only; `all_rows`, by any dimension, add up to everything.
    """
    whole, shown = total(all_rows), total(rows)
    past = _summed(before.rows if before else (), by)
    lines = [(_entry(visit, by, row), row.sums.cost_nano,
              share(row.sums.cost_nano, whole.cost_nano),
              *_against(row.sums.cost_nano, _was(past, _name(row, by)) if before else None),
              row.sums.invocations, row.sums.tokens) for row in rows]
    lost = whole.measure("unattributed_nano")
    foot: list[tuple[Cell, ...]] = [
        ("Total", whole.cost_nano, share(whole.cost_nano, whole.cost_nano),
         *_against(whole.cost_nano, before.whole if before else None), whole.invocations,
         whole.tokens),
        ("of it unattributed", lost, share(lost, whole.cost_nano), None, None, None, None)]
    if (whole.cost_nano, whole.invocations) != (shown.cost_nano, shown.invocations):
        others = whole.cost_nano - shown.cost_nano
        foot.insert(0, ("all others", others, share(others, whole.cost_nano), None, None,
                        whole.invocations - shown.invocations, whole.tokens - shown.tokens))
    return Table(f"by-{by.replace('_', '-').replace('.', '-')}", f"By {by.replace('_', ' ')}",
                 columns(by.replace("_", " ").capitalize(), ("Cost", "usd"), ("Share", "share"),
                         ("Before", "usd"), ("Change", "usd"), ("Calls", "count"),
                         ("Tokens", "count")), lines, foot,
                 note="Unattributed is what belongs to no task or no agent, or was never reserved."
                 " Before is the equally long time just before this one.", wide=True)


def outcomes(rows: Sequence[Row]) -> Table:
    """Return what failed and retried work cost, by agent."""
    whole = total(rows)
    lines = [(_name(row, "agent"), row.sums.measure("failures"), row.sums.measure("failed_nano"),
              share(row.sums.measure("failed_nano"), row.sums.cost_nano),
              row.sums.measure("retried_nano")) for row in rows
             if row.sums.measure("failures") or row.sums.measure("retried_nano")]
    foot = [("Total", whole.measure("failures"), whole.measure("failed_nano"),
             share(whole.measure("failed_nano"), whole.cost_nano), whole.measure("retried_nano"))]
    return Table("failed", "Failed and retried work", columns(
        "Agent", ("Failed calls", "count"), ("Cost of failed", "usd"), ("Share", "share"),
        ("Cost of retries", "usd")), lines, foot,
        note="Failed: calls that ended with an error or without an answer. Retries: every attempt "
        "after the first.", empty="Nothing failed, nothing was retried.")


def daily(rows: Sequence[Row]) -> dict[date, int]:
    """Return the cost by day."""
    return {date.fromisoformat(row.of["day"] or ""): row.sums.cost_nano for row in rows}


def forecast(costs: Mapping[date, int], today: date) -> Table:
    """Return the month's end as foretold, and how far such forecasts were off before."""
    found, off = outlook.forecast(costs, today), outlook.backtest(costs, today)
    had = len([day for day in costs if day < today])
    lines: list[tuple[Cell, ...]] = [] if found is None else [
        ("Spent so far this month", found.so_far_nano),
        ("Forecast for the whole month", found.total_nano),
        ("Lowest that is likely", found.low_nano),
        ("Highest that is likely", found.high_nano)]
    error = "it has no past forecast to be checked against yet" if off is None else \
        f"a week ahead it was off by {_percent(off)} in the median, on this tenant's own past"
    return Table("forecast", "Forecast to the end of the month",
                 columns("Figure", ("Amount", "usd")), lines,
                 note="Spent so far, and for each day left the mean of its weekday over the last "
                 f"{outlook.FORECAST_WEEKS} weeks, needing {outlook.FORECAST_DAYS_MIN} whole days "
                 "of data. Likely: what four of five earlier forecasts would have come to. "
                 f"Checked backwards: {error}.",
                 empty=f"Not enough data: {outlook.FORECAST_DAYS_MIN} whole days are needed, "
                 f"{had} had costs.")


def anomalies(costs: Mapping[date, int], days: Sequence[date]) -> Table:
    """Return the days that are far above the days before them."""
    scores = {day: outlook.anomaly(costs, day) for day in days}
    known = {day: score for day, score in scores.items() if score is not None}
    lines = [(day.isoformat(), costs.get(day, 0), f"{float(score):.1f}")
             for day, score in known.items() if score > outlook.ANOMALY_DEVIATIONS]
    nothing = "No day stands out." if known else \
        f"Not enough data: {outlook.ANOMALY_DAYS_MIN} days before a day are needed."
    return Table("anomalies", "Unusual days", columns(
        ("Day", "time"), ("Cost", "usd"), "Deviations above the median"), lines,
        note=f"More than {outlook.ANOMALY_DEVIATIONS} scaled median absolute deviations above the "
        f"median of the {outlook.ANOMALY_DAYS_MIN} to {2 * outlook.ANOMALY_DAYS_MIN} days before.",
        empty=nothing)


def days_of(visit: Visit) -> list[date]:
    """Return the whole days that the page shows; a year's at most."""
    end = min(visit.period.end or visit.today, visit.today)
    year = end - timedelta(365)
    start = max(visit.period.start or year, year)
    return [start + timedelta(n) for n in range((end - start).days)]


def _entry(visit: Visit, by: str, row: Row) -> Cell:
    name = row.of[by]
    if not name:
        return NONE
    if by == "task":
        return Link.to_task(name)
    following = NEXT.get(by, "agent")
    return Link(name, visit.href("/spend", **{by: name, "by": following}))


def _was(past: Mapping[str, Sums], name: str) -> int:
    return past[name].cost_nano if name in past else 0


def _against(cost: int, was: int | None) -> tuple[Cell, Cell]:
    return (None, None) if was is None else (was, cost - was)


def _summed(rows: Sequence[Row], by: str) -> dict[str, Sums]:
    found: dict[str, Sums] = {}
    for row in rows:
        found[_name(row, by)] = found.get(_name(row, by), Sums()) + row.sums
    return found


def _name(row: Row, by: str) -> str:
    return row.of[by] or NONE


def _percent(part: Fraction) -> str:
    return f"{float(part) * 100:.0f} %"
