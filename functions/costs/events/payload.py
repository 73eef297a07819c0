"""The fields of any ledger event that sums, lists and checks need; others are let be."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from functions.costs.questions.ranges import milliseconds

AMOUNT_MAX = 2**53 - 1
"""What a Lua number holds exactly; the ledger has the same bound for one event."""

ID_CHARS_MAX = 256


def _instant(text: str) -> str:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("an instant has its offset")
    milliseconds(at)
    return text


Instant = Annotated[str, AfterValidator(_instant)]
"""As text: it is shown as it came. It lies in `YEARS`."""

Count = Annotated[int, Field(ge=0, le=AMOUNT_MAX)]
Change = Annotated[int, Field(ge=-AMOUNT_MAX, le=AMOUNT_MAX)]


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Dims(_Read):
    """Whose it is."""

    tenant: str = ""
    agent: str = Field(default="", max_length=ID_CHARS_MAX)
    agent_version: str = Field(default="", max_length=ID_CHARS_MAX)
    session: str = Field(default="", max_length=ID_CHARS_MAX)
    task: str = Field(default="", max_length=ID_CHARS_MAX)
    root: str = Field(default="", max_length=ID_CHARS_MAX)
    parent_agent: str | None = None
    env: str = ""


class Ran(_Read):
    """One metered call."""

    kind: Literal["llm", "tool", "embedding"]
    step: Count | None = None
    attempt: Count = 1
    started: Instant | None = None
    ended: Instant | None = None
    cold_start: bool = False
    revision: str | None = None


class Model(_Read):
    """The model, as asked for and as it answered."""

    provider: str = ""
    requested: str | None = None
    selected: str | None = None
    response: str | None = None

    @property
    def name(self) -> str:
        """Return `provider/model` as it was billed: by the model that answered, if one did."""
        model = self.response or self.selected or self.requested or "unknown"
        return model if model.startswith(f"{self.provider}/") else f"{self.provider}/{model}"


class Tool(_Read):
    """The tool that ran."""

    name: str


class Usage(_Read):
    """What was used."""

    input_total: Count = 0
    output_total: Count = 0
    classes: Mapping[str, Count] = {}


class Line(_Read):
    """One priced meter: `qty` × `unit_price` is its exact cost."""

    sku: str
    meter: str
    qty: Count
    unit_price: str = Field(pattern=r"^\d{1,12}(\.\d{1,30})?$")
    """In USD."""


class Cost(_Read):
    """What it cost."""

    total_nano: Count
    reserved_nano: Count | None = None
    overrun_nano: Count = 0
    price_basis: str = ""
    lines: tuple[Line, ...] = ()


class Numbered(_Read):
    """Which sequence its number is of, and the accounts it was posted on."""

    epoch: str = ""
    accounts: tuple[str, ...] = ()
    hold_ms: Count = 0


class Ended(_Read):
    """How the call itself ended."""

    error_type: str | None = None
    finish_reason: str | None = None


class Data(_Read):
    """The data of any of the ledger's events."""

    dims: Dims = Dims()
    outcome: str | None = None
    invocation: Ran | None = None
    tags: Mapping[str, str] = {}
    model: Model | None = None
    tool: Tool | None = None
    usage: Usage | None = None
    cost: Cost | None = None
    result: Ended = Ended()
    usage_basis: str | None = None
    account: str = ""
    unit: str = ""
    need: Change | None = None
    have: Change | None = None
    percent: int = Field(default=0, ge=0, le=100)
    reason: str = ""
    delta_nano: Change = 0
    delta_tok: Change = 0
    ledger: Numbered = Numbered()
