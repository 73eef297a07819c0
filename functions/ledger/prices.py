"""Knows what a token of each class and a call of each tool costs.

A tenant's own table first, then the catalogue and the `genai-prices` package, pinned and offline.
What none of them knows is refused.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from functions.ledger import published_prices
from functions.ledger.price_table import PriceTable
from functions.ledger.rates import MTOK, Rates
from shared.metering import Unpriced

__all__ = ["PriceBook", "PriceTable", "Rates"]


def _per_mtok(**usd: str) -> dict[str, Decimal]:
    return {name: Decimal(price) / MTOK for name, price in usd.items()}


SCRIPTED = _per_mtok(
    input_uncached="0.15", cache_read="0.075", cache_write_5m="0.15", cache_write_1h="0.15",
    output_text="0.60", reasoning="0.60", audio_in="0.15", audio_out="0.60", image_in="0.15")
"""The offline model's: no input class above plain input, so that a script can spend exactly what
it reserved."""

SCRIPTED_VERSION = "scripted-1"


class PriceBook:
    """Prices of models and of the catalogue's tools."""

    def __init__(self, tools: Mapping[tuple[str, str], int] | None = None) -> None:
        self._tools = dict(tools or {})

    @classmethod
    def read(cls, catalogue: Path) -> "PriceBook":
        """Read the tools' prices out of the catalogue file.

        Raises:
            OSError, ValueError, KeyError: the file is missing or is no catalogue.
        """
        tools = json.loads(catalogue.read_text())["tools"]
        return cls({(t["name"], t["version"]): int(t["price_nano"]) for t in tools})

    def model(self, model: str, input_total: int, tier: str | None = None,
              own: PriceTable | None = None) -> Rates:
        """Return a model's rates for a call with that many input tokens.

        Raises:
            Unpriced: nobody knows the model, or one of its directions.
        """
        if own is not None and (agreed := own.model(model)) is not None:
            return agreed
        provider, _, name = model.partition("/")
        if provider == "scripted" and name:
            return Rates(model, SCRIPTED_VERSION, SCRIPTED)
        found = published_prices.find(provider, name, input_total, tier)
        if found is None:
            raise Unpriced(f"no price is known for model {model!r}: it is refused, not free",
                           code="unpriced_model", model=model)
        version, per_token, per_request = found
        return Rates(model, version, per_token, per_request)

    def tool(self, name: str, version: str | None, own: PriceTable | None = None) -> Rates:
        """Return a tool's rates by its contract; without a version any that is listed.

        Raises:
            Unpriced: the catalogue does not list it.
        """
        for (known, at), nano in self._tools.items():
            if known == name and version in (None, "", at):
                agreed = own.tool(name, at) if own is not None else None
                return agreed or Rates(f"tool/{name}@{at}", "catalogue",
                                       per_call=Decimal(nano).scaleb(-9))
        raise Unpriced(f"tool {name!r} {version or ''} is not in the catalogue: it has no price",
                       code="unpriced_tool", tool=name)
