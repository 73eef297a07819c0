"""The values that go to the ledger and come from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from shared.metering.permit import Permit
from shared.usage import Usage

Kind = Literal["llm", "tool", "embedding"]
State = Literal["PENDING", "SETTLED", "VOIDED", "FORFEITED", "DENIED"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """Why the call is made: the part of its event that the grant does not say."""

    step: int
    attempt: int
    agent_version: str
    env: str
    parent_agent: str | None = None
    trigger_source: str
    trigger_id: str
    streamed: bool = False
    cold_start: bool = False
    revision: str | None = None
    """The Knative revision that makes the call, for comparing one with the next."""
    trace_id: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    """The caller's own; never trusted, never used to group money."""
    requested_model: str | None = None
    """What was asked for when a cheaper model was selected; else `None`."""
    downgrade_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One invocation that is to be paid for."""

    id: str
    """uuid5(tenant, task, step, slot, attempt, ask): the same for every retry of this call."""
    grant: str
    """The compact JWS; tenant, agent, session, task and ancestors come from it alone."""
    kind: Kind
    holder: int
    """The caller's fencing token: a successor's is higher."""
    lease_s: float
    """How long the call may take: provider time-out + drain + slack."""
    model: str | None = None
    """`provider/name`."""
    tool: str | None = None
    tool_version: str | None = None
    input_tokens_max: int = 0
    output_tokens_max: int = 0
    """The cap that is really sent to the provider."""
    flexible: bool = False
    """There is a cheaper model to ask: a limit whose policy is `downgrade` may refuse this one."""
    attribution: Attribution


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What a call that was made came to."""

    usage: Usage
    response_model: str | None = None
    """`provider/name` as the provider says; it is priced by this if its price is known."""
    service_tier: str | None = None
    finish_reason: str | None = None
    error_type: str | None = None
    started: float | None = None
    """Seconds since the epoch."""
    ended: float | None = None
    compute_ms: int = 0
    streamed: bool = False


@dataclass(frozen=True, slots=True)
class Hold:
    """The answer to a reserve."""

    state: State
    expires: float
    """End of the lease, seconds since the epoch."""
    reserved_nano: int
    headroom: Mapping[str, int]
    """Smallest remainder over all limited accounts, by unit; a unit without limits is absent."""
    permit: Permit | None
    """Given if this very call dispatched."""
    adopted: bool
    replayed: bool
    charged_nano: int = 0


@dataclass(frozen=True, slots=True)
class Charge:
    """What a settled call cost."""

    state: State
    total_nano: int
    tokens: int
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a reservation ended, by this call or before it."""

    state: State
    charged_nano: int


@dataclass(frozen=True, slots=True)
class TaskUsage:
    """What a task and its sub-tasks have spent and hold now."""

    posted_nano: int
    held_nano: int
    posted_tok: int
    held_tok: int
    reservations: Mapping[str, int]
    """Count by state, `PENDING` included."""
