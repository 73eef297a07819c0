"""Makes the record of a step, and what waiters are told of it."""

from functions.agents.attempt import Attempt
from functions.agents.loop import Answered
from shared.ids import canonical
from shared.tasks.state import PREVIEW_CHARS, StepRecord, TaskState, preview, shortened
from shared.tasks.store import Entry, Snapshot
from shared.telemetry import trace_id


def of_step(before: Snapshot, after: TaskState, answered: Answered, attempt: Attempt,
            ) -> StepRecord:
    """Return the record of a step just taken; how its calls end comes with the next one."""
    reply = answered.reply
    return StepRecord(
        step=after.step, model=reply.model, text=shortened(reply.text, PREVIEW_CHARS),
        calls=tuple({"call_id": c.call_id, "tool": c.tool,
                     "arguments": shortened(canonical(c.arguments), PREVIEW_CHARS)}
                    for c in after.calls),
        seen={call_id: preview(outcome) for call_id, outcome in before.results.items()},
        usage={"input": reply.usage.input_total, "output": reply.usage.output_total},
        cost_nano=answered.cost_nano, attempts=attempt.attempt + 1, trace_id=trace_id(),
        started_at=round(attempt.started_at, 3), ended_at=round(attempt.ended_at, 3))


def entries_of(after: TaskState, record: StepRecord) -> list[Entry]:
    """Return what waiters are told of a step."""
    return [
        Entry("step", {"step": record.step, "model": record.model, "text": record.text[:400],
                       "calls": [c["tool"] for c in record.calls], "trace_id": record.trace_id}),
        Entry("cost", {"step": record.step, "cost_nano": record.cost_nano,
                       "tokens_used": after.tokens_used})]
