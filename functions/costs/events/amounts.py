"""Says what one event adds to each measure, without I/O."""

from collections.abc import Iterable
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal

from functions.costs.events.payload import Line
from shared.amounts import NANO

CACHE_WRITES = ("cache_write_5m", "cache_write_1h")
CACHED = ("cache_read", *CACHE_WRITES)


def saved_nano(lines: Iterable[Line]) -> int:
    """Return what the provider's cache saved: against all of its tokens at the uncached price.

    Writes cost more than uncached tokens, so the figure may be negative. Rounded down to a whole
    nano-USD; 0 where the event does not tell the uncached price.
    """
    by_meter = {line.meter: line for line in lines}
    plain = by_meter.get("input_uncached")
    cached = [by_meter[name] for name in CACHED if name in by_meter]
    if plain is None or not cached:
        return 0
    price = Decimal(plain.unit_price)
    saved = sum((line.qty * (price - Decimal(line.unit_price)) for line in cached),
                Decimal(0))
    return int((saved * NANO).to_integral_value(ROUND_FLOOR))


def between_ms(started: str | None, ended: str | None) -> int | None:
    """Return the time between two instants, 0 if they are upside down; `None` if one is missing."""
    if not started or not ended:
        return None
    begun, done = datetime.fromisoformat(started), datetime.fromisoformat(ended)
    return max(round((done - begun).total_seconds() * 1000), 0)
