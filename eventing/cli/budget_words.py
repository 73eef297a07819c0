"""Reads and says amounts and windows of budgets, as people write them."""

from decimal import Decimal

from eventing.cli.exits import Exit, Failure
from shared import amounts
from shared.amounts import NANO, usd
from shared.limits import AMOUNT_MAX

SPANS = {"life": "life", "h": "hour", "d": "day", "w": "week", "m": "month"}


def window(text: str) -> str:
    """Return a window's code; its word is understood as well.

    Raises:
        Failure: there is none of that name.
    """
    codes = {word: code for code, word in SPANS.items()}
    if text not in SPANS and text not in codes:
        known = ", ".join(code if code == word else f"{code} ({word})"
                          for code, word in SPANS.items())
        raise Failure(Exit.USAGE, f"--window {text!r} is none of {known}")
    return codes.get(text, text)


def nano(dollars: str | None) -> int | None:
    """Return dollars as nano-USD.

    Raises:
        Failure: it is no amount, finer than a nano-USD, or more than a budget can hold.
    """
    if dollars is None:
        return None
    try:
        nanos = Decimal(dollars) * NANO
        exact = 0 <= nanos <= AMOUNT_MAX and nanos == int(nanos)
    except (ArithmeticError, ValueError):
        exact = False
    if not exact:
        raise Failure(Exit.USAGE, f"--usd {dollars!r} is no amount from 0 to "
                                  f"{usd(AMOUNT_MAX)[1:]} in steps of 0.000000001")
    return int(nanos)


def per(code: str) -> str:
    """Return how often an amount may be spent: `per day`, or `in all`."""
    return "in all" if code == "life" else f"per {SPANS[code]}"


def amount(unit: str, value: int | None) -> str:
    """Return an amount with its unit, exact; a dash for none."""
    return "–" if value is None else amounts.amount(unit, value)
