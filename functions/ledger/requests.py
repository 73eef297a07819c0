"""The bodies of the ledger's HTTP API."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from functions.ledger.limits import Limit, StoredPolicy, Unit
from functions.ledger.windows import Window
from shared.limits import (
    AMOUNT_MAX,
    LEASE_MAX_S,
    METADATA_TAGS_MAX,
    RESERVE_BATCH_MAX,
    REVISION_CHARS_MAX,
    TAG_CHARS_MAX,
)
from shared.usage import Usage, UsageBasis

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,128}$")]
Name = Annotated[str, Field(min_length=1, max_length=256)]


RESPONSES = "openai-responses/"


def billed(model: str) -> str:
    """Return a model as its provider bills it: the same, whichever of its APIs is spoken."""
    if model.startswith(RESPONSES):
        return "openai/" + model.removeprefix(RESPONSES)
    return model


Model = Annotated[Name, AfterValidator(billed)]
Count = Annotated[int, Field(ge=0, le=AMOUNT_MAX)]
Tag = Annotated[str, Field(max_length=TAG_CHARS_MAX)]


class Body(BaseModel):
    """Refuses what it does not know: a caller cannot name its own accounts."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class AttributionBody(Body):
    """As `shared.metering.Attribution`."""

    step: int = Field(ge=0)
    attempt: int = Field(ge=0)
    agent_version: str
    env: str
    parent_agent: str | None = None
    trigger_source: str
    trigger_id: str
    streamed: bool = False
    cold_start: bool = False
    revision: str | None = Field(default=None, max_length=REVISION_CHARS_MAX)
    trace_id: str | None = None
    tags: dict[Tag, Tag] = Field(default_factory=dict, max_length=METADATA_TAGS_MAX)
    requested_model: Model | None = None
    downgrade_reason: str | None = None


class CallBody(Body):
    """What is to be called, or was."""

    id: Id
    kind: Literal["llm", "tool", "embedding"]
    model: Model | None = None
    tool: Name | None = None
    tool_version: str | None = None
    input_tokens_max: Count = 0
    output_tokens_max: Count = 0
    lease_s: float = Field(gt=0, le=LEASE_MAX_S)
    holder: Count
    grant: str | None = None
    flexible: bool = False
    """The caller knows a cheaper way: limits that downgrade refuse it."""
    attribution: AttributionBody

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        named, other = (self.tool, self.model) if self.kind == "tool" else (self.model, self.tool)
        if named is None or other is not None:
            raise ValueError(f"a call of kind {self.kind} names its "
                             f"{'tool' if self.kind == 'tool' else 'model'} and nothing else")
        return self

    @property
    def called(self) -> str:
        """Return `model|<name>` or `tool|<name>`."""
        return f"tool|{self.tool}" if self.kind == "tool" else f"model|{self.model}"


class ReserveBody(CallBody):
    """A call to hold money for."""

    dispatch: bool = False
    """Also dispatch, in the same script: the caller is ready to send."""
    ticket: str = Field(default="", max_length=64)
    """Random per request: the same request again, its answer lost, is the same permission."""


class BatchBody(Body):
    """Calls to hold money for, each by itself."""

    reservations: tuple[ReserveBody, ...] = Field(min_length=1, max_length=RESERVE_BATCH_MAX)


class HolderBody(Body):
    """Who ends or dispatches a reservation."""

    holder: Count
    ticket: str = Field(default="", max_length=64)


class ExtendBody(Body):
    """A longer lease."""

    holder: Count
    lease_s: float = Field(gt=0, le=LEASE_MAX_S)


class UsageBody(Body):
    """As `shared.usage.Usage`."""

    input_uncached: Count = 0
    cache_read: Count = 0
    cache_write_5m: Count = 0
    cache_write_1h: Count = 0
    output_text: Count = 0
    reasoning: Count = 0
    audio_in: Count = 0
    audio_out: Count = 0
    image_in: Count = 0
    requests: dict[str, Count] = Field(default_factory=dict, max_length=16)
    basis: UsageBasis = "provider"

    @property
    def usage(self) -> Usage:
        """Return the value."""
        return Usage(**vars(self))


class SettleBody(Body):
    """As `shared.metering.Settlement`."""

    usage: UsageBody
    response_model: Model | None = None
    service_tier: str | None = None
    finish_reason: str | None = None
    error_type: str | None = None
    started: float | None = None
    ended: float | None = None
    compute_ms: int = Field(default=0, ge=0)
    streamed: bool = False


class PostBody(CallBody):
    """A finished call that was not reserved."""

    settlement: SettleBody


class AdjustBody(Body):
    """A correction; the same `key` again changes nothing."""

    key: Id
    delta_nano: int = Field(ge=-AMOUNT_MAX, le=AMOUNT_MAX)
    reason: str = Field(min_length=1, max_length=256)


class BudgetBody(Body):
    """One limit of an account in one unit and window."""

    unit: Unit = "usd"
    window: Window = "life"
    limit: Count
    thresholds: tuple[Annotated[int, Field(ge=1, le=1000)], ...] = Field(
        default=Limit.model_fields["thresholds"].default, max_length=8)
    policy: StoredPolicy = "deny"
    revision: int | None = Field(default=None, ge=0)
    """Compare-and-set: the revision this replaces, 0 for none; absent replaces any."""


class QuoteBody(Body):
    """A call to price without holding."""

    kind: Literal["llm", "tool", "embedding"] = "llm"
    model: Model | None = None
    tool: Name | None = None
    tool_version: str | None = None
    input_tokens_max: Count = 0
    output_tokens_max: Count = 0


class ApplyBody(Body):
    """A budget file (docs/budgets.md)."""

    text: str
    dry_run: bool = False


class RerateBody(Body):
    """A period to price again under another table."""

    begin: float = Field(ge=0)
    """Seconds since the epoch, inclusive."""
    end: float = Field(ge=0)
    """Exclusive."""
    prices: str
    """The table as YAML."""
    after: str = Field(default="", pattern=r"^(\d+-\d+)?$")
    """Where the page before ended."""
    apply: bool = False
