"""The page *Efficiency*: caches, reservations, cold starts, and tasks that stand out."""

import asyncio
from collections.abc import Sequence

from functions.costs.pages import outlook
from functions.costs.pages.shown import Shown
from functions.costs.pages.tables import Card, Cell, Chart, Link, Table, columns, share
from functions.costs.pages.view import percent
from functions.costs.pages.visit import Visit
from functions.costs.questions.rows import Row, Sums, total

TASKS_MAX = "200"
"""The dearest tasks are looked at; a dearer one than these cannot exist."""

LOOP_CALLS_MIN = 10
"""A task with fewer calls than this is no loop, however few the others have."""


async def efficiency(visit: Visit) -> Shown:
    """Return the page.

    Raises:
        Permanent: (422) days that are none.
    """
    bucket = visit.period.bucket
    (agents, models, whens, cold), tasks = await asyncio.gather(
        visit.each("agent", "model", bucket, "kind,tool,agent"),
        visit.dearest("task,agent", TASKS_MAX))
    return Shown("efficiency", "Efficiency", _cards(total(agents)), [
        reserved_over_time(visit, whens), caches(models), reservations(agents), cold_starts(cold),
        outliers(tasks), loops(tasks)])


def reserved_over_time(visit: Visit, rows: Sequence[Row]) -> Table:
    """Return what was reserved beside what it came to, over time."""
    bucket = visit.period.bucket
    found = {label: Sums() for label in visit.period.labels()}
    found |= {row.of[bucket] or "": row.sums for row in rows}
    lines: list[tuple[Cell, ...]] = [
        (at, found[at].measure("reserved_nano"), found[at].cost_nano) for at in sorted(found)]
    return Table("reserved-over-time", f"Reserved and actual by {bucket}", columns(
        (bucket.capitalize(), "time"), ("Reserved", "usd"), ("Actual", "usd")), lines, wide=True,
        chart=Chart("lines", f"Reserved and actual cost by {bucket}") if rows else None,
        empty="Nothing was spent in this time.")


def caches(rows: Sequence[Row]) -> Table:
    """Return how much of the input came from providers' caches, and what that saved."""
    lines = [(row.of["model"], *_cached(row.sums)) for row in rows if row.of["model"]]
    return Table("caches", "Caches, by model", columns(
        "Model", ("Input tokens", "count"), ("Read from cache", "count"), ("Hits", "share"),
        ("Written to cache", "count"), ("Saved", "usd")), lines,
        [("Total", *_cached(total(rows)))], wide=True,
        note="Saved: against all cached tokens at the uncached price. Writes cost more than plain "
        "input, so a cache that is written and not read has cost money: then it is below zero.")


def reservations(rows: Sequence[Row]) -> Table:
    """Return how much of what was held was needed, by agent."""
    def told(sums: Sums) -> tuple[Cell, ...]:
        held = sums.measure("reserved_nano")
        return held, sums.cost_nano, share(sums.cost_nano, held), sums.measure("overrun_nano")

    lines = [(row.of["agent"] or "(none)", *told(row.sums)) for row in rows]
    return Table("reserved", "Reserved and actual, by agent", columns(
        "Agent", ("Reserved", "usd"), ("Actual", "usd"), ("Used", "share"), ("Overrun", "usd")),
        lines, [("Total", *told(total(rows)))],
        note="A low share holds money that others could spend; an overrun is what a call cost "
        "above its reservation.")


def cold_starts(rows: Sequence[Row]) -> Table:
    """Return which functions woke from zero, and how often of all their calls."""
    by_function: dict[str, Sums] = {}
    for row in rows:
        name = row.of["tool"] or row.of["agent"] or "(none)"
        by_function[name] = by_function.get(name, Sums()) + row.sums
    ordered = sorted(by_function.items(), key=lambda one: -one[1].measure("cold_starts"))
    lines = [(name, sums.invocations, sums.measure("cold_starts"),
              share(sums.measure("cold_starts"), sums.invocations)) for name, sums in ordered]
    whole = total(rows)
    return Table("cold-starts", "Cold starts, by function", columns(
        "Function", ("Calls", "count"), ("From zero", "count"), ("Share", "share")), lines,
        [("Total", whole.invocations, whole.measure("cold_starts"),
          share(whole.measure("cold_starts"), whole.invocations))])


def outliers(rows: Sequence[Row]) -> Table:
    """Return the tasks that cost far more than others, the dearest first."""
    fence = outlook.fence([row.sums.cost_nano for row in rows])
    lines: list[tuple[Cell, ...]] = [
        (Link.to_task(row.of["task"]), row.of["agent"], row.sums.invocations, row.sums.cost_nano)
        for row in rows if fence is not None and row.sums.cost_nano > fence]
    return Table("outliers", "Tasks that cost far more than others", columns(
        "Task", "Agent", ("Calls", "count"), ("Cost", "usd")), lines, note=_formula("cost"),
        empty=_nothing(fence, rows))


def loops(rows: Sequence[Row]) -> Table:
    """Return the tasks with far more calls than others: agents that go in circles look so."""
    fence = outlook.fence([row.sums.invocations for row in rows])
    found = sorted((row for row in rows if fence is not None
                    and row.sums.invocations > max(fence, LOOP_CALLS_MIN)),
                   key=lambda row: -row.sums.invocations)
    return Table("loops", "Possible loops", columns(
        "Task", "Agent", ("Calls", "count"), ("Cost", "usd")),
        [(Link.to_task(row.of["task"]), row.of["agent"], row.sums.invocations, row.sums.cost_nano)
         for row in found], empty=_nothing(fence, rows),
        note=_formula("calls") + f" Fewer than {LOOP_CALLS_MIN} calls are no loop.")


def _formula(what: str) -> str:
    return (f"Above the third quartile of {what} by more than {outlook.FENCE} times the distance "
            f"between the quartiles, among the {TASKS_MAX} dearest tasks; {outlook.OUTLIERS_MIN} "
            "are needed.")


def _nothing(fence: int | None, rows: Sequence[Row]) -> str:
    return "None stands out." if fence is not None else \
        f"Not enough data: {outlook.OUTLIERS_MIN} tasks are needed, there were {len(rows)}."


def _cached(sums: Sums) -> tuple[Cell, ...]:
    whole, read = sums.measure("input_tokens"), sums.measure("cache_read_tokens")
    return (whole, read, share(read, whole), sums.measure("cache_write_tokens"),
            sums.measure("cache_saved_nano"))


def _cards(whole: Sums) -> list[Card]:
    hits = share(whole.measure("cache_read_tokens"), whole.measure("input_tokens"))
    cold = share(whole.measure("cold_starts"), whole.invocations)
    used = share(whole.cost_nano, whole.measure("reserved_nano"))
    return [
        Card("Saved by caches", whole.measure("cache_saved_nano"), "usd", name="saved"),
        Card("Input from caches", hits, "share", name="hits"),
        Card("Used of what was reserved", used, "share", name="used"),
        Card("Overrun", whole.measure("overrun_nano"), "usd", name="overrun"),
        Card("Cold starts", whole.measure("cold_starts"), "count", name="cold",
             note="" if cold is None else f"{percent(cold)} of calls")]
