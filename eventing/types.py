"""Every event type of ours, one class of its data each (architecture, section 4).

JSON Schemas in `eventing/schemas/` are generated from these; a changed `.v1` fails a test.
"""

from eventing.types_tool import Payload, ToolCompleted, ToolRequested
from shared.tasks.contract import AgentResult, AgentTask

PING = "dev.knative.sources.ping"
"""What a PingSource sends: no data and no extensions of ours."""


class TaskSubmitted(Payload):
    """A task was accepted; its agent begins."""

    TYPE = "dev.tollgate.task.submitted.v1"
    task: AgentTask


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
