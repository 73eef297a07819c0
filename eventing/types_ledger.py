"""The ledger's events: one per finished invocation, denial, alert and correction.

Amounts in nano-USD are integers; amounts in lines are exact decimal texts in USD.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LedgerPayload(_Part):
    """The data of one ledger event."""

    TYPE: ClassVar[str]


class Trigger(_Part):
    """The event that caused the invocation."""

    source: str
    id: str


class Invocation(_Part):
    """One metered call."""

    id: str
    kind: Literal["llm", "tool", "embedding"]
    step: int
    attempt: int
    trigger: Trigger
    started: str | None = None
    """RFC 3339."""
    ended: str | None = None
    streamed: bool = False
    cold_start: bool = False
    revision: str | None = None
    """The Knative revision of the agent or tool that made the call."""


class Dims(_Part):
    """What costs are grouped by: captured at reserve from the grant, unchangeable since."""

    tenant: str
    agent: str
    agent_version: str
    session: str
    task: str
    root: str
    parent_agent: str | None = None
    env: str


class Model(_Part):
    """The model, as asked for, as chosen, as it answered."""

    provider: str
    requested: str
    selected: str
    response: str | None = None
    service_tier: str | None = None
    downgrade_reason: str | None = None


class Tool(_Part):
    """The tool that ran."""

    name: str
    version: str


class UsageCounts(_Part):
    """Tokens by disjoint class, server-tool requests, compute time."""

    input_total: int = Field(ge=0)
    output_total: int = Field(ge=0)
    classes: dict[str, int]
    requests: dict[str, int] = {}
    compute_ms: int = 0


class Line(_Part):
    """One priced meter: `qty` × `unit_price` = `cost_usd`, exactly."""

    sku: str
    meter: str
    qty: int
    unit_price: str
    cost_usd: str


class Cost(_Part):
    """What it cost: lines + rounding = total."""

    currency: Literal["USD"] = "USD"
    total_nano: int = Field(ge=0)
    reserved_nano: int = Field(ge=0)
    overrun_nano: int = Field(ge=0)
    rounding_nano: str
    """Exact decimal text, below 1: the total is rounded up once."""
    lines: tuple[Line, ...]
    price_version: str
    price_basis: Literal["response", "requested", "contract"] = "requested"


class Place(_Part):
    """Where the event stands in the tenant's gapless sequence."""

    seq: int
    epoch: str
    accounts: tuple[str, ...] = ()
    hold_ms: int = 0
    cause: str = ""
    """settle, void, resolve, sweep, post"""


class Outcome(_Part):
    """How the call itself ended."""

    finish_reason: str | None = None
    error_type: str | None = None


class LedgerAttributed(LedgerPayload):
    """One admitted invocation ended: exactly one of these per reservation."""

    TYPE = "dev.tollgate.ledger.attributed.v1"
    outcome: Literal["settled", "voided", "forfeited", "unreserved"]
    usage_basis: Literal["provider", "drained", "estimated", "none"]
    invocation: Invocation
    dims: Dims
    tags: Mapping[str, str] = {}
    model: Model | None = None
    tool: Tool | None = None
    usage: UsageCounts
    cost: Cost
    ledger: Place
    result: Outcome = Outcome()


class LedgerDenied(LedgerPayload):
    """One invocation was refused for good: an account is spent."""

    TYPE = "dev.tollgate.ledger.denied.v1"
    invocation: Invocation
    dims: Dims
    tags: Mapping[str, str] = {}
    model: Model | None = None
    tool: Tool | None = None
    account: str
    unit: str
    need: int
    have: int
    reason: str
    ledger: Place


class LedgerThresholdCrossed(LedgerPayload):
    """Posted and held reached a share of a limit, the first time in this window."""

    TYPE = "dev.tollgate.ledger.threshold_crossed.v1"
    account: str
    unit: str
    percent: int
    limit: int
    used: int
    ledger: Place


class LedgerAdjusted(LedgerPayload):
    """The cost of an ended invocation was corrected."""

    TYPE = "dev.tollgate.ledger.adjusted.v1"
    invocation: Invocation
    dims: Dims
    model: Model | None = None
    tool: Tool | None = None
    n: int
    delta_nano: int
    delta_tok: int = 0
    total_nano: int
    reason: str
    ledger: Place


LEDGER_TYPES: tuple[type[LedgerPayload], ...] = (
    LedgerAttributed, LedgerDenied, LedgerThresholdCrossed, LedgerAdjusted)
