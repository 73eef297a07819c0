"""The fields of any ledger event that sums, lists and checks need; others are let be."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

AMOUNT_MAX = 2**53 - 1
"""What a Lua number holds exactly; the ledger has the same bound for one event."""

ID_CHARS_MAX = 256


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
    attempt: int = 1
    started: str | None = None
    ended: str | None = None
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

    input_total: int = Field(default=0, ge=0, le=AMOUNT_MAX)
    output_total: int = Field(default=0, ge=0, le=AMOUNT_MAX)
    classes: Mapping[str, int] = {}


class Cost(_Read):
    """What it cost."""

    total_nano: int = Field(ge=0, le=AMOUNT_MAX)
    reserved_nano: int = Field(default=0, ge=0, le=AMOUNT_MAX)
    overrun_nano: int = Field(default=0, ge=0, le=AMOUNT_MAX)
    rounding_nano: str = "0"
    price_basis: str = ""
    lines: tuple[Mapping[str, Any], ...] = ()


class Numbered(_Read):
    """Which sequence its number is of, and the accounts it was posted on."""

    epoch: str = ""
    accounts: tuple[str, ...] = ()


class Ended(_Read):
    """How the call itself ended."""

    error_type: str | None = None


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
    account: str = ""
    percent: int = Field(default=0, ge=0, le=100)
    reason: str = ""
    delta_nano: int = Field(default=0, ge=-AMOUNT_MAX, le=AMOUNT_MAX)
    delta_tok: int = Field(default=0, ge=-AMOUNT_MAX, le=AMOUNT_MAX)
    ledger: Numbered = Numbered()
