"""Makes the commit that ends a task, without I/O: used by agents, watchdog and dead letters."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from eventing.task_events import completed, stored
from shared import limits
from shared.tasks.contract import Status
from shared.tasks.state import (
    PREVIEW_CHARS,
    StepRecord,
    TaskState,
    merged,
    preview,
    shortened,
    usd,
)
from shared.tasks.store import Commit, Entry, Snapshot


@dataclass(frozen=True, slots=True)
class Past:
    """What an ending needs to know beside the snapshot."""

    records: Sequence[StepRecord]
    posted_nano: int | None
    """What the ledger posted for the task; `None` if nobody could ask it."""
    now: float


def ended(seen: Snapshot, status: Status, error: str | None, past: Past) -> Commit | None:
    """Return the commit of a task that ends without a further step; `None` if it is final."""
    if seen.state.status.final:
        return None
    state = seen.state.ended(status, past.now, error)
    return finished(seen, state, past, told_results(seen))


def finished(seen: Snapshot, state: TaskState, past: Past, entries: Sequence[Entry]) -> Commit:
    """Return a terminal commit: what is kept is folded, the outcome goes out and to the session."""
    if past.posted_nano is not None:
        state = state.but(cost_nano=past.posted_nano)
    outcomes = {call_id: preview(outcome) for call_id, outcome in seen.results.items()}
    kept, shorter = folded(state, merged(past.records, outcomes))
    turn = ""
    if state.status is Status.COMPLETED and state.output:
        turn = json.dumps({"prompt": shortened(state.task.prompt, 2000),
                           "output": shortened(state.output, 4000)})
    end = Entry("end", {"status": state.status, "error": state.error, "steps_used": state.step,
                        "tokens_used": state.tokens_used, "cost_usd": usd(state.cost_nano)})
    return Commit(
        before=seen, state=kept, due_at=past.now + limits.OVERDUE_AFTER_COMMIT_S, turn=turn,
        events=stored([completed(state)]), replaced=shorter,
        entries=[*entries, Entry("status", {"status": state.status}), end])


def told_results(seen: Snapshot) -> list[Entry]:
    """Return what waiters are told of the calls that a step waited for."""
    return [Entry("tool", {
        "step": seen.state.step, "call_id": call.call_id, "tool": call.tool,
        "ok": not seen.results[call.call_id].get("error"),
        "duration_ms": seen.results[call.call_id].get("duration_ms", 0)})
        for call in seen.state.calls if call.call_id in seen.results]


def folded(state: TaskState, records: Sequence[StepRecord]) -> tuple[TaskState, list[StepRecord]]:
    """Return a final state and its records within what a finished task may keep.

    The answer stays whole; prompt, arguments and results shorten until the rest fits.
    """
    kept = state.but(messages=(), task=state.task.model_copy(update={"context": ""}))
    shorter = [record.model_copy(update={"trace_id": None}) if record.trace_id == state.trace_id
               else record for record in records]  # the task says it once
    for chars in (PREVIEW_CHARS, 400, 120, 40):
        prompt = shortened(kept.task.prompt, max(4 * chars, 200))
        kept = kept.but(task=kept.task.model_copy(update={"prompt": prompt}))
        shorter = [_cut(record, chars) for record in shorter]
        if _bytes(kept, shorter) <= limits.FINISHED_TASK_BYTES_MAX // 2:
            return kept, shorter
    return kept, [_counted(record) for record in shorter]


def _counted(record: StepRecord) -> StepRecord:
    """Return the record with one line per tool instead of one per call."""
    tools = Counter(call["tool"] for call in record.calls)
    calls = tuple({"tool": tool, "calls": count} for tool, count in tools.items())
    return record.model_copy(update={"calls": calls})


def _cut(record: StepRecord, chars: int) -> StepRecord:
    calls = tuple({k: shortened(v, chars) if k in ("arguments", "result", "error") else v
                   for k, v in call.items()} for call in record.calls)
    return record.model_copy(update={"text": shortened(record.text, chars), "calls": calls})


def _bytes(state: TaskState, records: Sequence[StepRecord]) -> int:
    return len(state.model_dump_json()) + sum(
        len(r.model_dump_json(exclude_defaults=True)) for r in records)
