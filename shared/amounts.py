"""Says amounts of money, tokens and calls to people, exactly."""

from decimal import Decimal

NANO = 10**9
"""Nano-USD in one USD."""

WORDS = {"tok": "token", "calls": "call"}


def usd(nano: int) -> str:
    """Return nano-USD as exact dollars: `$0.05`."""
    return f"${Decimal(nano) / NANO:f}"


def amount(unit: str, value: int) -> str:
    """Return an amount in its unit: `$0.05` of nano-USD, `512 tokens`, `1 call`."""
    if unit == "usd":
        return usd(value)
    return f"{value} {WORDS[unit]}" if value == 1 else f"{value} {WORDS[unit]}s"
