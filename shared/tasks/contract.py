"""What a caller asks of an agent, and what it gets: the public contracts."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared import limits
from shared.amounts import NANO
from shared.ids import canonical

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$")]
Tag = Annotated[str, Field(max_length=limits.TAG_CHARS_MAX)]
Tags = Annotated[dict[Tag, Tag], Field(max_length=limits.METADATA_TAGS_MAX)]


class _Contract(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Status(StrEnum):
    """Where a task is; the last three are final."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """Tell whether no delivery changes the task any more."""
        return self in (Status.COMPLETED, Status.FAILED, Status.CANCELLED)


class CapabilityLimits(_Contract):
    """Tighter bounds, in the words of other systems; the tighter of two wins."""

    max_iterations: int | None = Field(default=None, ge=1, le=limits.STEPS_MAX)
    token_cap: int | None = Field(default=None, ge=limits.TOKENS_MIN, le=limits.TOKENS_MAX)


class TaskRequest(_Contract):
    """What `POST /run` and `POST /tasks` take."""

    agent: Name
    prompt: str = Field(min_length=1, max_length=limits.PROMPT_CHARS_MAX)
    id: Id | None = None
    """Chosen by the caller, else derived from `Idempotency-Key`, else random."""
    session_id: Id | None = None
    context: str = Field(default="", max_length=limits.CONTEXT_CHARS_MAX)
    max_steps: int = Field(default=limits.STEPS_DEFAULT, ge=1, le=limits.STEPS_MAX)
    token_budget: int = Field(
        default=limits.TOKENS_DEFAULT, ge=limits.TOKENS_MIN, le=limits.TOKENS_MAX)
    cost_budget_usd: Decimal | None = Field(default=None, ge=0, le=limits.TASK_COST_MAX_USD)
    deadline_s: float = Field(
        default=limits.DEADLINE_DEFAULT_S, gt=0, le=limits.DEADLINE_MAX_S)
    output_schema: dict[str, Any] | None = None
    capability_limits: CapabilityLimits = CapabilityLimits()
    metadata: Tags = {}


class AgentTask(_Contract):
    """An accepted request: every default filled in, every limit the tighter one."""

    id: Id
    session_id: Id
    agent: Name
    prompt: str
    context: str = ""
    max_steps: int
    token_budget: int
    cost_budget_nano: int
    deadline_s: float
    output_schema: dict[str, Any] | None = None
    metadata: Tags = {}

    @classmethod
    def accept(cls, request: TaskRequest, *, task_id: str) -> Self:
        """Return the task of a request; its session is its own when none is named."""
        capped = request.capability_limits
        usd = request.cost_budget_usd
        return cls(
            id=task_id, session_id=request.session_id or task_id, agent=request.agent,
            prompt=request.prompt, context=request.context,
            max_steps=min(request.max_steps, capped.max_iterations or limits.STEPS_MAX),
            token_budget=min(request.token_budget, capped.token_cap or limits.TOKENS_MAX),
            cost_budget_nano=int((limits.TASK_COST_DEFAULT_USD if usd is None else usd) * NANO),
            deadline_s=request.deadline_s, output_schema=request.output_schema,
            metadata=request.metadata,
        )


class AgentResult(_Contract):
    """The outcome of a task, partial when it did not complete."""

    task_id: str
    status: Status
    output: str = ""
    steps_used: int = 0
    tokens_used: int = 0
    tool_calls: int = 0
    cost_usd: str = "0"
    """Exact decimal, as posted when the task ended; later corrections are events."""
    error: str | None = None
    duration_ms: int = 0


class WorkflowLimits(_Contract):
    """The bounds of a workflow request; its own defaults."""

    max_iterations: int = Field(default=12, ge=1, le=limits.STEPS_MAX)
    token_cap: int = Field(default=16384, ge=limits.TOKENS_MIN, le=limits.TOKENS_MAX)


class WorkflowRequest(_Contract):
    """The same request in the vocabulary of workflow systems."""

    request_id: Id
    instruction: str = Field(min_length=1, max_length=limits.PROMPT_CHARS_MAX)
    session_context: dict[str, Any] = {}
    """`session_id` and `agent` are read from it; the rest becomes the task's context."""
    capability_limits: WorkflowLimits = WorkflowLimits()
    metadata: Tags = {}

    @model_validator(mode="after")
    def _names_an_agent(self) -> Self:
        if not isinstance(self.session_context.get("agent"), str):
            raise ValueError("session_context.agent: name the agent")
        return self

    def task(self) -> TaskRequest:
        """Return the request in our own vocabulary."""
        rest = {k: v for k, v in self.session_context.items() if k not in ("agent", "session_id")}
        return TaskRequest(
            agent=self.session_context["agent"], prompt=self.instruction, id=self.request_id,
            session_id=self.session_context.get("session_id"),
            context=canonical(rest) if rest else "",
            max_steps=self.capability_limits.max_iterations,
            token_budget=self.capability_limits.token_cap, metadata=self.metadata)


WORKFLOW_STATUS = {
    Status.PENDING: "queued", Status.RUNNING: "processing", Status.PAUSED: "processing",
    Status.COMPLETED: "finalized", Status.FAILED: "terminated", Status.CANCELLED: "terminated",
}
"""Our states in the vocabulary of workflow systems."""
