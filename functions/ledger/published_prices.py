"""Looks up list prices in the `genai-prices` package: its one home.

It takes 0.3 s and 30 MB to import, so it is imported when the first real model is priced.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from functions.ledger import server_tools

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo

MTOK = Decimal(1_000_000)
Found = tuple[str, Mapping[str, Decimal], Mapping[str, Decimal]]

FIELDS: Mapping[str, tuple[str, ...]] = {
    "input_uncached": ("input_mtok",),
    "cache_read": ("cache_read_mtok", "input_mtok"),
    "cache_write_5m": ("cache_write_mtok", "input_mtok"),
    "cache_write_1h": ("cache_write_1h_mtok", "cache_write_mtok", "input_mtok"),
    "audio_in": ("input_audio_mtok", "input_mtok"),
    "image_in": ("input_image_mtok", "input_mtok"),
    "output_text": ("output_mtok",),
    "reasoning": ("output_reasoning_mtok", "output_mtok"),
    "audio_out": ("output_audio_mtok", "output_mtok"),
}
"""Where a class's price stands, most specific first."""

REQUESTS = {"web_search": "web_searches_kcount", "file_search": "storage_searches_kcount"}
"""Where the price of a thousand requests to a provider's tool stands."""


def find(provider: str, name: str, input_total: int, tier: str | None) -> Found | None:
    """Return version, USD per token by class and per request; `None` if nobody lists the model.

    The long-context price is chosen on the total input, as providers do.
    """
    if not provider or not name:
        return None
    version, model = _model(provider, name)
    if model is None:
        return None
    prices = _prices(model, tier)
    share = _batch_share(provider, model, prices) if tier == "batch" else Decimal(1)
    per_token = {c: _per_token(prices, names, input_total) for c, names in FIELDS.items()}
    known = {c: price * share for c, price in per_token.items() if price is not None}
    if "input_uncached" not in known or ("output_text" not in known and "embed" not in name):
        return None
    return (version, {c: known.get(c, Decimal(0)) for c in FIELDS},
            server_tools.per_request(provider, name) | _per_request(prices))


def _prices(model: "ModelInfo", tier: str | None) -> Mapping[str, Any]:
    return vars(model.get_prices(datetime.now(UTC), {"service_tier": tier} if tier else None))


def _batch_share(provider: str, model: "ModelInfo", listed: Mapping[str, Any]) -> Decimal:
    """Return 1 where the package lists prices of batches itself."""
    is_listed = listed != _prices(model, None)
    return Decimal(1) if is_listed else server_tools.BATCH_SHARES.get(provider, Decimal(1))


@lru_cache(maxsize=256)
def _model(provider: str, name: str) -> tuple[str, "ModelInfo | None"]:
    from importlib.metadata import version

    from genai_prices.data_snapshot import get_snapshot

    label = f"genai-prices-{version('genai-prices')}+{server_tools.VERSION}"
    try:
        _, model = get_snapshot().find_provider_model(name, None, provider, None)
    except LookupError:
        return label, None
    return label, model


def _per_token(prices: Mapping[str, Any], names: tuple[str, ...], total: int) -> Decimal | None:
    price = next((prices[n] for n in names if prices.get(n) is not None), None)
    tiers = getattr(price, "tiers", None)
    if tiers is not None and price is not None:
        reached = [t.price for t in tiers if total > t.start]
        price = reached[-1] if reached else price.base
    return None if price is None else Decimal(price) / MTOK


def _per_request(prices: Mapping[str, Any]) -> dict[str, Decimal]:
    return {tool: Decimal(price) / 1000 for tool, field in REQUESTS.items()
            if isinstance(price := prices.get(field), Decimal)}
