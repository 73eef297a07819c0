"""The data of tools' events; apart from the others, since every tool imports it at its start."""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

WAITING = "waiting"
"""Code of a failure that is none yet: the call waits for budget, and its task is to pause."""


class Payload(BaseModel):
    """The data of one event type."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    TYPE: ClassVar[str]


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
