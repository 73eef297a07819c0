"""The state of a task between deliveries, and what follows from it without I/O."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from shared import limits
from shared.amounts import NANO
from shared.ids import canonical
from shared.models.port import Message
from shared.tasks.contract import AgentResult, AgentTask, Status

SCHEMA_VERSION = 1
"""Of the stored document; a reader that meets a newer one puts the work off."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OpenCall(_Value):
    """A tool call that a step asked for, until its result is in."""

    call_id: str
    """The step identity (architecture, section 5), not the model's id."""
    model_call_id: str
    """What the model called it; the answer must carry it."""
    tool: str
    version: str
    arguments: dict[str, Any]
    refusal: str | None = None
    """Why no tool was woken; set when the arguments do not fit the contract."""


class TaskState(_Value):
    """Everything a delivery needs to go on with a task; one JSON document in Redis."""

    schema_version: int = SCHEMA_VERSION
    task: AgentTask
    tenant: str
    grant: str
    """The signed grant that every event of the task carries."""
    root: str
    replyto: str | None = None
    """The agent that waits for the outcome, for a sub-task."""
    parent: str | None = None
    """The task that a sub-task works for, one of the grant's ancestors."""
    parent_call: str | None = None
    """The call of that task which the outcome answers."""
    depth: int = 0
    chain: int = 0
    hops: int = 0
    traceparent: str | None = None
    revision: str | None = None
    """The agent's Knative revision that works on the task, as long as it is routable."""
    cause: str | None = None
    """Id of the event whose delivery committed last: its redelivery publishes what is left."""
    status: Status = Status.PENDING
    step: int = 0
    """The last committed step."""
    calls: tuple[OpenCall, ...] = ()
    """What that step asked for."""
    messages: tuple[Message, ...] = ()
    resumes: int = 0
    """Steps that had no tool to wait for and were continued by an event of their own."""
    nudges: int = 0
    reopened: int = 0
    """How often a redrive by hand opened the task again after it had failed."""
    extended_s: float = 0.0
    """By how much that moved the deadline."""
    wakes: int = 0
    wake_at: float | None = None
    """Not before this time: the ledger was away, or holds stood in the way."""
    tokens_used: int = 0
    tool_calls: int = 0
    cost_nano: int = 0
    """As far as this agent was told; the ledger's figure replaces it at the end."""
    output: str = ""
    error: str | None = None
    created_at: float
    ended_at: float | None = None

    @classmethod
    def new(cls, task: AgentTask, **known: Any) -> Self:
        """Return the state of a task that was just accepted."""
        return cls(task=task, **known)

    def but(self, **changes: Any) -> Self:
        """Return the state with some fields changed."""
        return self.model_copy(update=changes)

    @property
    def deadline_at(self) -> float:
        """Return when the task ends, whatever its state; seconds since the epoch."""
        return self.created_at + self.extended_s + self.task.deadline_s

    @property
    def trace_id(self) -> str | None:
        """Return the trace that the task began in, as 32 hex digits."""
        return self.traceparent.split("-")[1] if self.traceparent else None

    @property
    def hops_max(self) -> int:
        """Return how many events may follow each other inside this task."""
        return 2 * self.task.max_steps + limits.HOPS_BASE

    def ended(self, status: Status, now: float, error: str | None = None) -> Self:
        """Return the state after a final status, with the best output so far."""
        return self.but(status=status, error=error, ended_at=now, calls=(), wake_at=None)

    def result(self) -> AgentResult:
        """Return what the caller sees, also while the task runs."""
        ended = self.ended_at or self.created_at
        return AgentResult(
            task_id=self.task.id, status=self.status, output=self.output, steps_used=self.step,
            tokens_used=self.tokens_used, tool_calls=self.tool_calls, error=self.error,
            cost_usd=usd(self.cost_nano), duration_ms=round((ended - self.created_at) * 1000),
        )


class StepRecord(_Value):
    """One step as it is shown: by `GET /tasks/{id}/steps`, the page and the command line."""

    step: int
    model: str | None = None
    text: str = ""
    calls: tuple[dict[str, Any], ...] = ()
    """`call_id`, `tool`, `arguments` (shortened), then `result` or `error`, `duration_ms`."""
    seen: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Outcomes of the step before, by call id, as this step saw them; empty once merged."""
    usage: dict[str, int] = Field(default_factory=dict)
    cost_nano: int = 0
    attempts: int = 1
    trace_id: str | None = None
    """`None` in a finished task: its own."""
    started_at: float = 0.0
    ended_at: float = 0.0


def merged(records: Sequence[StepRecord],
           open_outcomes: Mapping[str, Mapping[str, Any]]) -> list[StepRecord]:
    """Return the records with each outcome in the call it belongs to.

    `open_outcomes` are those that no step has seen yet, shortened like the stored ones.
    """
    outcomes = {**open_outcomes}
    for record in records:
        outcomes |= record.seen
    return [record.model_copy(update={"seen": {}, "calls": tuple(
        {**call, **outcomes.get(call.get("call_id", ""), {})} for call in record.calls)})
        for record in records]


PREVIEW_CHARS = 1200
"""Of a text, an argument list or a result in a running task's step record."""


def preview(outcome: Mapping[str, Any]) -> dict[str, Any]:
    """Return how a call ended, short enough for a step record."""
    key = "error" if outcome.get("error") else "result"
    return {key: shortened(canonical(outcome.get(key)), PREVIEW_CHARS),
            "duration_ms": outcome.get("duration_ms", 0)}


def shortened(text: str, chars: int) -> str:
    """Return the text, or its beginning and how much was left out."""
    if len(text) <= chars:
        return text
    return f"{text[:chars]}… [{len(text) - chars} characters more]"


def usd(nano: int) -> str:
    """Return nano-USD as an exact decimal text of USD."""
    whole, part = divmod(nano, NANO)
    return f"{whole}.{part:09d}".rstrip("0").rstrip(".")
