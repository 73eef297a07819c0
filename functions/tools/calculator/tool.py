"""Evaluates named arithmetic expressions exactly."""

from fractions import Fraction
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from functions.tools.calculator.evaluate import Number, evaluate
from functions.tools.calculator.functions import rounded
from functions.tools.declare import Price, tool
from shared.limits import (
    CALCULATION_CHARS_MAX,
    CALCULATION_DIGITS_MAX,
    CALCULATION_EXPRESSIONS_MAX,
)

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
Expression = Annotated[str, StringConstraints(min_length=1, max_length=CALCULATION_CHARS_MAX)]


class Value(BaseModel):
    """What one expression came to."""

    exact: str | None
    """A decimal if it ends, else a fraction like `1/3`; null if irrational or too long."""
    rounded: str
    """To `decimals` places, half away from zero."""


@tool(version="1.0.0", idempotent=True, price=Price.free(), timeout_s=10)
def calculate(
    expressions: Annotated[dict[Name, Expression], Field(
        min_length=1, max_length=CALCULATION_EXPRESSIONS_MAX,
        description="Name → arithmetic expression. Expressions may use each other's names.")],
    decimals: Annotated[int, Field(
        ge=0, le=20, description="Decimal places of the rounded results.")] = 2,
) -> dict[str, Value]:
    """Evaluate up to 100 named arithmetic expressions exactly, all in one call.

    Operators + - * / // % **; functions sum, min, max, mean, median, round, abs, floor, ceil,
    sqrt and percent(part, whole). Ask for a whole projection at once: an expression may use the
    names of others. Numbers are exact, without currency signs or thousands separators.

    Raises:
        ToolError: an expression is no arithmetic, or passes a bound; the message names it.
    """
    numbers = evaluate(expressions)
    return {name: _value(numbers[name], decimals) for name in expressions}


def _value(number: Number, decimals: int) -> Value:
    return Value(exact=_exact(number), rounded=_decimal(rounded(number.value, decimals), decimals))


def _exact(number: Number) -> str | None:
    if not number.is_exact:
        return None
    places = _places(number.value.denominator)
    text = str(number.value) if places is None else _decimal(number.value, places)
    return text if len(text) <= CALCULATION_DIGITS_MAX else None


def _places(denominator: int) -> int | None:
    """Return how many decimals write the fraction exactly, or `None` if it never ends."""
    counts = []
    for prime in (2, 5):
        count = 0
        while denominator % prime == 0:
            denominator, count = denominator // prime, count + 1
        counts.append(count)
    return max(counts) if denominator == 1 else None


def _decimal(value: Fraction, places: int) -> str:
    scaled = value * 10 ** places
    sign, digits = "-" * (scaled < 0), str(abs(int(scaled))).rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"
