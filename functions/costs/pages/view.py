"""Writes figures as people read them, and pages as HTML, without I/O."""

from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functions.costs.pages.assets import listed
from functions.costs.pages.tables import Gauge
from shared.amounts import NANO

if TYPE_CHECKING:
    from jinja2 import Environment

GAUGE_WIDTH = 1_000
"""Units of a gauge's drawing; the browser scales it."""

SOME = 4
"""Anything that is not nothing is at least this wide: less would not be seen."""

_HERE = Path(__file__).parent / "templates"


def usd(nano: int | str) -> str:
    """Return nano-USD as exact dollars with at least two decimals: `$0.0000015`.

    A text is an amount with parts of a nano-USD, as invoices have them.
    """
    if isinstance(nano, str):
        return f"${Decimal(nano).scaleb(-9):f}"
    whole, rest = divmod(abs(nano), NANO)
    decimals = f"{rest:09d}".rstrip("0").ljust(2, "0")
    return f"{'−' if nano < 0 else ''}${whole:,}.{decimals}"


def number(count: int) -> str:
    """Return a count with its thousands set apart."""
    return f"{count:,}".replace("-", "−")


def percent(share: int) -> str:
    """Return parts of 10 000 as a percentage."""
    return f"{share / 100:.1f} %".replace("-", "−")


def when(text: str) -> str:
    """Return a bucket of time as it is, an instant as UTC date and time to the second."""
    if len(text) < len("2026-11-21T10:00:00"):
        return text.replace("T", " ") + (":00" if "T" in text else "")
    return clock(text)


def clock(text: str | None) -> str:
    """Return an RFC 3339 instant as UTC date and time to the second, for people."""
    if not text:
        return "–"
    at = datetime.fromisoformat(text.upper())  # RFC 3339 knows t and z as well
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def duration(milliseconds: int | None) -> str:
    """Return a duration for people."""
    if milliseconds is None:
        return "–"
    if milliseconds < 1_000:
        return f"{milliseconds} ms"
    if milliseconds < 120_000:
        return f"{milliseconds / 1_000:.1f} s"
    minutes = milliseconds // 60_000
    if minutes < 120:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h {minutes % 60} min" if hours < 48 else f"{number(hours // 24)} days"


def posted_width(gauge: Gauge) -> int:
    """Return how much of a gauge is posted."""
    return _width(gauge.posted, gauge.limit, GAUGE_WIDTH)


def held_width(gauge: Gauge) -> int:
    """Return how much of a gauge is held; it never reaches over the end."""
    return _width(gauge.held, gauge.limit, GAUGE_WIDTH - posted_width(gauge))


def _width(amount: int, limit: int, most: int) -> int:
    if amount <= 0:
        return 0
    return min(max(amount * GAUGE_WIDTH // limit, SOME) if limit > 0 else GAUGE_WIDTH, most)


def render(template: str, **values: Any) -> str:
    """Return a page; everything in it is escaped."""
    return _templates().get_template(template).render(assets=listed(), **values)


@cache
def _templates() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # events never need it

    made = Environment(loader=FileSystemLoader(_HERE), autoescape=True, trim_blocks=True,
                       lstrip_blocks=True, undefined=StrictUndefined, auto_reload=False)
    made.filters |= {"usd": usd, "clock": clock, "duration": duration, "number": number,
                     "percent": percent, "when": when, "posted": posted_width,
                     "held": held_width}
    return made
