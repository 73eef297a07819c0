"""Says what a task, a successful one and a session cost on average, however many there are."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from functions.costs.questions.question import Question
from functions.costs.questions.ranges import Span
from functions.costs.questions.rows import Row, Sums, total
from functions.costs.store.ends import ENDS, RUNNING
from functions.costs.store.store import CostStore
from functions.costs.sums.dear import Days
from shared.limits import COST_PLACES_MAX

MEASURES = ("cost_nano", "invocations", "tokens", "retried_nano", "failed_nano", "denials")
COUNTED_BY = frozenset({"agent"})
"""Filters for which days keep counts; with others, tasks are read one by one."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many there were, and how tasks ended."""

    tasks: int
    sessions: int
    ends: Mapping[str, int | None]
    """By `ENDS`, `running` (`None`: too many to tell), and `<end>:nano`: their cost by then."""


async def unit_costs(store: CostStore, tenant: str, question: Question) -> dict[str, Any]:
    """Return the body of `GET /v1/unit-costs`.

    Tasks are those with a call in the span; a task is successful if it was completed, without an
    error, in the span. One without an end runs, and is no success.

    Raises:
        Permanent: a cut day, or other filters than the agent, leave too many tasks to be read.
    """
    asked = replace(question, group_by=("task", "session"), measures=MEASURES)
    days = [day for day in await store.days(tenant) if question.span.touches(day)]
    if set(question.filters) <= COUNTED_BY and all(map(question.span.covers, days)):
        sums = total(await store.rows(tenant, replace(asked, group_by=("tenant",))))
        counts = await _counted(store, tenant, question, days)
    else:
        rows = await store.rows(tenant, asked)
        sums, counts = total(rows), await _read(store, tenant, question, rows)
    return {"tenant": tenant, **_units(sums, counts)}


async def _counted(store: CostStore, tenant: str, question: Question, days: list[str]) -> Counts:
    """Return what days have counted."""
    agent, dear = question.filters.get("agent"), store.places.dear
    nameless = await store.places.by(tenant, {"task": ""})
    ends = await store.ends.by_day(tenant, days, agent)
    return Counts(
        tasks=await dear.count(Days(tenant, "place", days, agent), nameless),
        sessions=await dear.count(Days(tenant, "session", days, agent)),
        ends={**ends, RUNNING: await _running(store, tenant, question, days)})


async def _running(store: CostStore, tenant: str, question: Question, days: list[str],
                   ) -> int | None:
    """Return how many tasks without an end had a call on these days; `None`: too many to tell."""
    span, agent = question.span, question.filters.get("agent")
    # Without an agent asked for, whose last event is in the span had one there: others, and those
    # of an agent, are looked up.
    count = await store.ends.running(tenant, span) if agent is None else 0
    left = Span(span.end_ms if agent is None else span.start_ms, None)
    looked_up = [] if agent is None and span.end_ms is None else \
        await store.ends.open(tenant, left, COST_PLACES_MAX)
    if looked_up is None:
        return None
    places = await store.places.of_each(tenant, "task", looked_up)
    return count + await store.places.dear.listed(Days(tenant, "place", days, agent), [*places])


async def _read(store: CostStore, tenant: str, question: Question, rows: list[Row]) -> Counts:
    """Return what the tasks of these rows come to."""
    tasks = sorted({row.of["task"] or "" for row in rows} - {""})
    found = await store.ends.of(tenant, tasks)
    ends: dict[str, int] = {RUNNING: len(tasks) - len(found)}
    for end in found.values():
        if question.span.holds(end.at_ms):
            ends[end.status] = ends.get(end.status, 0) + 1
            ends[f"{end.status}:nano"] = ends.get(f"{end.status}:nano", 0) + end.nano
    return Counts(len(tasks), len({row.of["session"] for row in rows} - {"", None}), ends)


def _units(sums: Sums, counts: Counts) -> dict[str, Any]:
    nano, successful = sums.cost_nano, counts.ends.get("completed") or 0
    return {
        "tasks": counts.tasks, "successful": successful, "sessions": counts.sessions,
        "cost_nano": nano, "per_task_nano": _ratio(nano, counts.tasks),
        "per_successful_task_nano": _ratio(nano, successful),
        "per_session_nano": _ratio(nano, counts.sessions),
        "failed_nano": sums.measure("failed_nano"), "retried_nano": sums.measure("retried_nano"),
        "ends": {name: counts.ends.get(name, 0) for name in (*ENDS, RUNNING)},
        "ends_nano": {name: counts.ends.get(f"{name}:nano", 0) for name in ENDS}}


def _ratio(nano: int, count: int) -> int | None:
    return nano // count if count else None
