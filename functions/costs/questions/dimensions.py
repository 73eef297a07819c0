"""What costs can be asked by, and what is added up: the names, in the order they are kept."""

from decimal import Decimal

from shared.amounts import NANO

COARSE = ("agent", "agent_version", "revision", "kind", "tool", "model", "provider",
          "parent_agent", "env", "outcome", "reason", "scope")
"""Kept together as the coordinates of one row of sums; a tenant has few different ones."""

ALWAYS_KEPT = frozenset({"agent", "kind", "tool", "model", "provider", "outcome"})
"""What a row still tells once a tenant has too many different ones."""

FINE = ("session", "task", "root")
"""Kept in sums of their own: there are about as many as there are tasks."""

BUCKETS = ("hour", "day", "week", "month")
TAG = "tag."
OTHER = "(other)"
"""Stands for every value that a tenant has too many of."""

MEASURES = {
    "cost_nano": "c", "invocations": "n", "tokens": "t", "input_tokens": "i",
    "output_tokens": "o", "cache_read_tokens": "r", "cache_write_tokens": "w",
    "cache_saved_nano": "s", "reserved_nano": "v", "overrun_nano": "x", "cold_starts": "k",
    "failures": "f", "retried_nano": "y", "failed_nano": "b", "duration_ms": "d",
    "unreserved_nano": "u", "unattributed_nano": "l", "denials": "e",
}
"""Every measure and the letter that stands for it in Redis: letters never change their meaning."""

DEFAULT_MEASURES = ("cost_nano", "invocations", "tokens")
COST_TEXT = "cost_usd"
"""The cost as an exact decimal text: shown, not added up."""

Coordinates = tuple[str | None, ...]
"""The values of `COARSE`, in its order."""


def usd_text(nano: int) -> str:
    """Return nano-USD as an exact decimal text in USD, without an exponent."""
    whole, rest = divmod(abs(nano), NANO)
    decimals = f".{rest:09d}".rstrip("0").rstrip(".")
    return f"{'-' if nano < 0 else ''}{whole}{decimals}"


def nano_of(usd: str) -> int:
    """Return an exact decimal text in USD as whole nano-USD, rounded down."""
    return int(Decimal(usd) * NANO)
