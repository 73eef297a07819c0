"""Every event type of ours, one class of its data each (architecture, section 4).

JSON Schemas in `eventing/schemas/` are generated from these; a changed `.v1` fails a test.
"""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from shared.tasks.contract import AgentResult, AgentTask

PING = "dev.knative.sources.ping"
"""What a PingSource sends: no data and no extensions of ours."""


class Payload(BaseModel):
    """The data of one event type."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    TYPE: ClassVar[str]


class TaskSubmitted(Payload):
    """A task was accepted; its agent begins."""

    TYPE = "dev.tollgate.task.submitted.v1"
    task: AgentTask


class ToolRequested(Payload):
    """An agent asks a tool to run once per `call_id`."""

    TYPE = "dev.tollgate.tool.requested.v1"
    call_id: str
    """The step identity: the same for every attempt, and the tool's idempotency key."""
    tool: str
    version: str
    arguments: dict[str, Any]
    step: int = Field(ge=1)
    deadline_at: float
    """Seconds since the epoch; a later run would help nobody."""


class ToolFailure(Payload):
    """Why a call has no result: data for the model."""

    TYPE = ""
    code: str
    """invalid_arguments, denied, failed, timeout, too_large, unknown_outcome, dead_letter"""
    message: str


class ToolCompleted(Payload):
    """A tool call ended, with a result or an error."""

    TYPE = "dev.tollgate.tool.completed.v1"
    call_id: str
    tool: str
    version: str
    result: Any = None
    result_ref: str | None = None
    """A claim check `cc:{tenant}:<sha256>` instead of a large result."""
    error: ToolFailure | None = None
    duration_ms: int = 0
    runs: int = 1


class TaskCompleted(Payload):
    """A task reached a final status."""

    TYPE = "dev.tollgate.task.completed.v1"
    result: AgentResult


class TaskCancelRequested(Payload):
    """Somebody wants the task to end now."""

    TYPE = "dev.tollgate.task.cancel_requested.v1"
    reason: str = ""


class TaskPaused(Payload):
    """The task waits for a person or for budget."""

    TYPE = "dev.tollgate.task.paused.v1"
    reason: str = ""


class TaskResumed(Payload):
    """What the task waited for is there."""

    TYPE = "dev.tollgate.task.resumed.v1"
    reason: str = ""


TASK_TYPES: tuple[type[Payload], ...] = (
    TaskSubmitted, ToolRequested, ToolCompleted, TaskCompleted, TaskCancelRequested, TaskPaused,
    TaskResumed,
)
