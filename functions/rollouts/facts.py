"""Reads what a rollout needs out of events, and makes samples of it, without I/O.

A fact is a field and a value of one hash; each event is one field, so a redelivery is no second
fact and no list of seen events is needed:

    c|<task>|<reservation>      nano-USD, revision, is cold    a call of the agent, or for it
    a|<task>|<reservation>|<n>  nano-USD                       a correction; no task for a tool's
    e|<task>                    revision, ending, seconds, nano-USD said, received at
    i|<reservation>             nano-USD, revision, is cold, succeeded, seconds or null
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from eventing.event import Event
from eventing.types import TaskCompleted
from eventing.types_ledger import LedgerAdjusted, LedgerAttributed
from functions.rollouts.evidence import Sample
from functions.rollouts.judge import Arms
from shared.amounts import NANO
from shared.limits import ROLLOUT_LATE_S, ROLLOUT_SAMPLES_MAX
from shared.rollouts.plan import Rollout
from shared.tasks.contract import Status

Fact = tuple[str, str]


def fact_of(event: Event, function: str, rollout: Rollout, now: float) -> Fact | None:
    """Return what an event says for a rollout of a function, or `None` if nothing.

    What began before the traffic was split says nothing: it ran under other conditions.

    Raises:
        ValidationError, Malformed: the event is not what its type says.
    """
    match event.type:
        case LedgerAttributed.TYPE:
            return _attributed(LedgerAttributed.model_validate_json(event.data or b""),
                               function, rollout)
        case LedgerAdjusted.TYPE:
            return _adjusted(LedgerAdjusted.model_validate_json(event.data or b""), function)
        case TaskCompleted.TYPE:
            return _ended(event, function, rollout, now)
        case _:
            return None


def _attributed(data: LedgerAttributed, function: str, rollout: Rollout) -> Fact | None:
    ran, revision = data.invocation, data.invocation.revision
    if data.outcome == "voided":
        return None
    if data.tool is not None and data.tool.name == function:
        if revision is None or _before(ran.started, rollout):
            return None
        is_over = ran.started is not None and ran.ended is not None
        seconds = _seconds(ran.ended) - _seconds(ran.started) if is_over else None
        succeeded = data.outcome != "forfeited" and data.result.error_type is None
        return _fact(["i", ran.id], [data.cost.total_nano, revision, ran.cold_start, succeeded,
                                     seconds])
    task = _task(data.dims, function)
    if task is None:
        return None
    is_own = data.dims.agent == function and ran.kind == "llm"
    return _fact(["c", task, ran.id], [data.cost.total_nano, revision if is_own else None,
                                       is_own and ran.cold_start])


def _task(dims: Any, function: str) -> str | None:
    """Return the task that pays: the function's own, or the root that a sub-task works for."""
    if dims.agent == function:
        return str(dims.task)
    return str(dims.root) if dims.root != dims.task else None


def _adjusted(data: LedgerAdjusted, function: str) -> Fact | None:
    is_run = data.tool is not None and data.tool.name == function
    task = "" if is_run else _task(data.dims, function)
    return None if task is None else _fact(
        ["a", task, data.invocation.id, str(data.n)], [data.delta_nano])


def _ended(event: Event, function: str, rollout: Rollout, now: float) -> Fact | None:
    revision = event.get("revision")
    if event.get("agent") != function or revision is None or _before(event.time, rollout):
        return None
    result = TaskCompleted.model_validate(event.json()).result
    if result.status is Status.CANCELLED:
        return None  # the caller's decision says nothing of the revision
    succeeded = result.status is Status.COMPLETED and result.error is None
    said = int(Decimal(result.cost_usd) * NANO)
    return _fact(["e", result.task_id],
                 [revision, succeeded, result.duration_ms / 1000, said, now])


def _before(moment: str | None, rollout: Rollout) -> bool:
    return moment is not None and _seconds(moment) < (rollout.started_at or 0.0)


def _seconds(moment: str | None) -> float:
    return datetime.fromisoformat(moment or "").timestamp()


def _fact(name: list[str], value: list[Any]) -> Fact:
    return "|".join(name), json.dumps(value, separators=(",", ":"))


@dataclass(slots=True)
class _Task:
    """What is known of one task so far."""

    cost_nano: int = 0
    revisions: set[str] = field(default_factory=set)
    is_cold: bool = False
    end: tuple[str, bool, float, int, float] | None = None


def arms(known: Mapping[str, str], rollout: Rollout, now: float) -> Arms:
    """Return both revisions' samples: tasks if there are any, else runs of a tool.

    A task that two revisions worked on counts for neither. One whose attribution events are still
    on their way is left for the next look, for a minute at most.
    """
    found: dict[str, list[Sample]] = {rollout.stable: [], rollout.candidate: []}
    for revision, sample in (*_of_tasks(known, now), *_of_runs(known)):
        if len(found.get(revision, ())) < ROLLOUT_SAMPLES_MAX and revision in found:
            found[revision].append(sample)
    return Arms(found[rollout.stable], found[rollout.candidate])


def _of_tasks(known: Mapping[str, str], now: float) -> Iterator[tuple[str, Sample]]:
    for task in _tasks(known).values():
        if task.end is None:
            continue
        revision, succeeded, seconds, said_nano, received_at = task.end
        is_whole = task.cost_nano >= said_nano or now - received_at >= ROLLOUT_LATE_S
        if is_whole and task.revisions <= {revision}:
            yield revision, Sample(task.cost_nano, succeeded, None if task.is_cold else seconds)


def _tasks(known: Mapping[str, str]) -> dict[str, _Task]:
    tasks: dict[str, _Task] = defaultdict(_Task)
    for name, text in known.items():
        kind, ident, *_ = name.split("|")
        if kind == "i":
            continue
        task, value = tasks[ident], json.loads(text)
        if kind == "e":
            task.end = tuple(value)
            continue
        task.cost_nano += value[0]
        if kind == "c":
            task.revisions |= {value[1]} - {None}
            task.is_cold |= value[2]
    return tasks


def _of_runs(known: Mapping[str, str]) -> Iterator[tuple[str, Sample]]:
    corrections: dict[str, int] = defaultdict(int)
    for name, text in known.items():
        if name.startswith("a||"):
            corrections[name.split("|")[2]] += json.loads(text)[0]
    for name, text in known.items():
        if name.startswith("i|"):
            nano, revision, is_cold, succeeded, seconds = json.loads(text)
            cost = nano + corrections[name.removeprefix("i|")]
            yield revision, Sample(cost, succeeded, None if is_cold else seconds)
