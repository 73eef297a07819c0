"""Prices that somebody wrote down: a tenant's own, or those of a re-rating; without I/O."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from functions.ledger.rates import MTOK, Rates

Price = Annotated[Decimal, Field(ge=0, le=1_000_000, max_digits=24, decimal_places=15)]
TokenClass = Literal["input_uncached", "cache_read", "cache_write_5m", "cache_write_1h",
                     "output_text", "reasoning", "audio_in", "audio_out", "image_in"]
FALLS_BACK: Mapping[TokenClass, TokenClass] = {
    "cache_read": "input_uncached", "cache_write_5m": "input_uncached",
    "cache_write_1h": "cache_write_5m", "audio_in": "input_uncached",
    "image_in": "input_uncached", "reasoning": "output_text", "audio_out": "output_text"}
"""What a class that is not priced costs."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelPrice(_Part):
    """One model's prices in USD."""

    usd_per_million: dict[TokenClass, Price]
    usd_per_request: dict[str, Price] = {}

    @model_validator(mode="after")
    def _prices_both_directions(self) -> Self:
        if "input_uncached" not in self.usd_per_million:
            raise ValueError("usd_per_million.input_uncached is missing; 0 is a price")
        if "output_text" not in self.usd_per_million:
            raise ValueError("usd_per_million.output_text is missing; 0 is a price")
        return self

    def of(self, name: TokenClass) -> Decimal:
        """Return USD per million tokens of a class."""
        found = self.usd_per_million.get(name)
        return self.of(FALLS_BACK[name]) if found is None else found


class PriceTable(_Part):
    """Prices by model and by tool under one name."""

    label: str = Field(pattern=r"^[A-Za-z0-9._:-]{1,64}$")
    """Stands in events as `price_version`."""
    models: dict[Annotated[str, Field(pattern=r"^[a-z0-9-]+/.+$", max_length=256)],
                 ModelPrice] = {}
    tools: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*@\d+\.\d+\.\d+$")], Price] = {}
    """`<name>@<version>` → USD per call."""

    def model(self, name: str) -> Rates | None:
        """Return a model's rates, `None` if the table does not name it."""
        found = self.models.get(name)
        if found is None:
            return None
        classes: tuple[TokenClass, ...] = (
            "input_uncached", "output_text", *FALLS_BACK)
        return Rates(name, self.label, {c: found.of(c) / MTOK for c in classes},
                     found.usd_per_request)

    def tool(self, name: str, version: str) -> Rates | None:
        """Return a tool's rates, `None` if the table does not name this version."""
        found = self.tools.get(f"{name}@{version}")
        return None if found is None else Rates(
            f"tool/{name}@{version}", self.label, per_call=found)
