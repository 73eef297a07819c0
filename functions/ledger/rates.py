"""What a token of each class costs, as a value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from functions.ledger.server_tools import FREE
from shared.usage import INPUT_CLASSES, OUTPUT_CLASSES

ZERO, MTOK = Decimal(0), Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Rates:
    """USD per token by class and per server-tool request by name."""

    sku: str
    """What the rates are for: `provider/model` or `tool/<name>@<version>`."""
    version: str
    per_token: Mapping[str, Decimal] = field(default_factory=dict)
    per_request: Mapping[str, Decimal] = field(default_factory=dict)
    per_call: Decimal | None = None

    def request_price(self, name: str) -> Decimal | None:
        """Return USD per request to a provider's tool, `None` if nobody knows it."""
        return self.per_request.get(name, ZERO if name in FREE else None)

    @property
    def worst_input(self) -> Decimal:
        """Return the dearest class an input token may turn out to be."""
        return max([self.per_token.get(c, ZERO) for c in INPUT_CLASSES[:4]])

    @property
    def worst_output(self) -> Decimal:
        """Return the dearest class an output token may turn out to be."""
        return max([self.per_token.get(c, ZERO) for c in OUTPUT_CLASSES[:2]])
