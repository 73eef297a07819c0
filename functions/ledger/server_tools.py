"""What providers charge for tools that run on their side, and for batches, as data.

For what the `genai-prices` package does not list; where it lists something, it goes first. A
change here is another `VERSION`, so that events say by which prices they were made.
"""

from decimal import Decimal
from typing import NamedTuple

VERSION = "2026-11-21"
"""When the price lists below were read."""

FREE = frozenset({"web_fetch"})
"""Cost their tokens alone (Anthropic, "Web fetch tool", section "Usage and pricing")."""


class Listed(NamedTuple):
    """One line of a price list."""

    provider: str
    model: str
    """How the names of the models begin that it is for."""
    tool: str
    usd: Decimal
    """Per request."""


PRICES = (
    # OpenAI, "API pricing", section "Built-in tools": web search preview, models that do not
    # reason, 25 USD for 1000 calls; web search, 10 USD for 1000 calls.
    Listed("openai", "gpt-4o-search-preview", "web_search", Decimal("0.025")),
    Listed("openai", "gpt-4o-mini-search-preview", "web_search", Decimal("0.025")),
    Listed("openai", "gpt-5-search-api", "web_search", Decimal("0.01")),
    # The same section: containers of 1 GB, 0.03 USD for 20 minutes, since June 2026 by the minute.
    # No answer tells minutes, so each container of an answer is one session (docs/budgets.md).
    Listed("openai", "", "code_interpreter", Decimal("0.03")),
)

BATCH_SHARES = {"anthropic": Decimal("0.5"), "openai": Decimal("0.5")}
"""Of the price of every token in a batch (Anthropic, "Batch processing", section "Pricing";
OpenAI, "Batch API"). Server tools have no discount."""


def per_request(provider: str, model: str) -> dict[str, Decimal]:
    """Return USD per request by tool, of what is listed here for a model."""
    return {line.tool: line.usd for line in PRICES
            if line.provider == provider and model.startswith(line.model)}
