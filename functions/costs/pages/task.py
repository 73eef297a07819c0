"""The page of a task: its steps over time, with tools, costs and trace."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from functions.costs.events.timeline import timeline
from functions.costs.pages.now import denials
from functions.costs.pages.shown import Shown
from functions.costs.pages.tables import Bar, Card, Cell, Link, Table, columns
from functions.costs.pages.view import SOME, duration
from functions.costs.pages.visit import Visit
from functions.costs.routes.api import known_task
from functions.costs.settings import TRACE_ID

WIDTH = 1_000
"""Units of a bar's drawing; the browser scales it."""


async def task(visit: Visit) -> Shown:
    """Return the page.

    Raises:
        NotFound: this tenant has no event of the task.
    """
    name = visit.asked.get("task", "")
    line = timeline(name, await known_task(visit.store, visit.tenant, name))
    return Shown("task", "Task", _cards(line, visit.trace_url), tables(line), timed=False,
                 more={"subject": name, "trail": [
                     ("Spend", "/spend"), (line["agent"], _spend(agent=line["agent"])),
                     (line["session"], _spend(session=line["session"], by="task"))]})


def _spend(**asked: str) -> str:
    return f"/spend?{urlencode(asked)}"


def tables(line: Mapping[str, Any]) -> list[Table]:
    """Return the tables of a task: its steps, and corrections and denials where there are any."""
    fixes = Table("corrections", "Corrections", columns(
        ("Time (UTC)", "time"), "Call", ("Change", "usd"), "Reason"),
        [(fix["at"], fix["name"], fix["cost_nano"], fix["reason"]) for fix in line["adjustments"]])
    return [steps(line["invocations"]), *([fixes] if fixes.rows else []),
            *([denials(line["denials"])] if line["denials"] else [])]


def steps(calls: Sequence[Mapping[str, Any]]) -> Table:
    """Return the task's calls, each with a bar for when it ran."""
    rows: list[tuple[Cell, ...]] = [
        (str(call["step"]) if call["step"] is not None else "–", _what(call), call["kind"], bar,
         _moment(call["started"]), call["duration_ms"], call["outcome"], call["error_type"],
         call["tokens"], call["reserved_nano"], call["cost_nano"])
        for call, bar in zip(calls, bars(calls), strict=True)]
    return Table("steps", "Steps", columns(
        "Step", "Call", "Kind", ("When", "bar"), "Started (UTC)", ("Took", "ms"), "Outcome",
        "Error", ("Tokens", "count"), ("Reserved", "usd"), ("Cost", "usd")), rows,
        empty="No call was made.", wide=True)


def bars(calls: Sequence[Mapping[str, Any]]) -> list[Bar | None]:
    """Return a bar per call, `None` for one without times."""
    timed = [(_ms(call["started"]), _ms(call["ended"])) for call in calls
             if call["started"] and call["ended"]]
    if not timed:
        return [None for _ in calls]
    begin, end = min(s for s, _ in timed), max(e for _, e in timed)
    scale = (WIDTH - SOME) / max(end - begin, 1)
    return [_bar(call, begin, scale) for call in calls]


def _bar(call: Mapping[str, Any], begin: float, scale: float) -> Bar | None:
    if not call["started"] or not call["ended"]:
        return None
    start, end = _ms(call["started"]), _ms(call["ended"])
    label = f"{call['name']}, after {duration(round(start - begin))}, " \
            f"for {duration(call['duration_ms'])}"
    return Bar(round((start - begin) * scale), max(round((end - start) * scale), SOME),
               call["kind"], label)


def _what(call: Mapping[str, Any]) -> str:
    attempt = call["attempt"] or 1
    return (str(call["name"]) + (f", attempt {attempt}" if attempt > 1 else "")
            + (", from zero" if call["cold_start"] else ""))


def _cards(line: Mapping[str, Any], trace_url: str | None) -> list[Card]:
    calls = line["invocations"]
    timed = [(_ms(c["started"]), _ms(c["ended"])) for c in calls if c["started"] and c["ended"]]
    took = round(max(e for _, e in timed) - min(s for s, _ in timed)) if timed else None
    return [Card("Cost", line["total_nano"], "usd", name="total"),
            Card("Calls", len(calls), "count"), Card("Tokens", line["tokens"], "count"),
            Card("Took", took, "ms"), Card("Agent", line["agent"], "text"),
            Card("Session", line["session"], "id"),
            Card("Trace", trace(line["trace_id"], trace_url), "id", name="trace")]


def trace(trace_id: str | None, template: str | None) -> Link | None:
    """Return what leads to a trace: to where traces are collected, or to the steps on this page."""
    if not trace_id:
        return None
    away = template and template.replace(TRACE_ID, quote(trace_id, safe=""))
    return Link(trace_id, away or "#section-steps")


def _moment(text: str | None) -> str:
    """Return an instant in UTC to the millisecond: steps are short."""
    if not text:
        return "–"
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _ms(text: str) -> float:
    return datetime.fromisoformat(text).timestamp() * 1_000
