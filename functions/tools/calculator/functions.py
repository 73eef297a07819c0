"""The functions an expression may use; each takes fractions and says whether it stayed exact."""

import math
from collections.abc import Callable, Mapping
from fractions import Fraction

from shared.limits import CALCULATION_BITS_MAX, CALCULATION_DECIMALS_MAX

Result = tuple[Fraction, bool]
_ROOT_DIGITS = 50
"""Digits behind the point of an irrational root."""


def rounded(value: Fraction, decimals: int = 0) -> Fraction:
    """Return the value rounded half away from zero, as people round money.

    Raises:
        ValueError: more decimals than `CALCULATION_DECIMALS_MAX` either way.
    """
    if abs(decimals) > CALCULATION_DECIMALS_MAX:
        raise ValueError(f"round() to more than {CALCULATION_DECIMALS_MAX} decimals")
    scale = Fraction(10) ** decimals
    scaled = abs(value) * scale + Fraction(1, 2)
    return Fraction(math.floor(scaled)) / scale * (-1 if value < 0 else 1)


def power(base: Fraction, exponent: Fraction) -> Fraction:
    """Return base to a whole exponent.

    Raises:
        ValueError: the exponent is no whole number, or the result would be too large.
    """
    if exponent.denominator != 1:
        raise ValueError("an exponent that is no whole number: use sqrt()")
    bits = max(base.numerator.bit_length(), base.denominator.bit_length(), 1)
    if bits * abs(exponent.numerator) > CALCULATION_BITS_MAX:
        raise ValueError(f"a power of more than {CALCULATION_BITS_MAX} bits")
    return base ** exponent.numerator


def whole(value: Fraction) -> int:
    """Return a whole number as such.

    Raises:
        ValueError: it has a fraction.
    """
    if value.denominator != 1:
        raise ValueError(f"{value} where a whole number is needed")
    return value.numerator


def _sqrt(values: list[Fraction]) -> Result:
    (value,) = _exactly(values, 1, "sqrt")
    if value < 0:
        raise ValueError("the square root of a negative number")
    top, bottom = math.isqrt(value.numerator), math.isqrt(value.denominator)
    if top * top == value.numerator and bottom * bottom == value.denominator:
        return Fraction(top, bottom), True
    scale = 10 ** _ROOT_DIGITS
    return Fraction(math.isqrt(value.numerator * scale ** 2 // value.denominator), scale), False


def _round(values: list[Fraction]) -> Result:
    if len(values) == 1:
        return rounded(values[0]), True
    value, decimals = _exactly(values, 2, "round")
    return rounded(value, whole(decimals)), True


def _median(values: list[Fraction]) -> Result:
    ordered, middle = sorted(values), len(values) // 2
    if len(values) % 2:
        return ordered[middle], True
    return (ordered[middle - 1] + ordered[middle]) / 2, True


def _percent(values: list[Fraction]) -> Result:
    part, total = _exactly(values, 2, "percent")
    return part / total * 100, True


def _unary(name: str, of: Callable[[Fraction], Fraction]) -> Callable[[list[Fraction]], Result]:
    return lambda values: (of(_exactly(values, 1, name)[0]), True)


def _exactly(values: list[Fraction], count: int, name: str) -> list[Fraction]:
    if len(values) != count:
        raise ValueError(f"{name}() takes {count} number{'s' * (count > 1)}, not {len(values)}")
    return values


FUNCTIONS: Mapping[str, Callable[[list[Fraction]], Result]] = {
    "sum": lambda values: (sum(values, Fraction(0)), True),
    "min": lambda values: (min(values), True),
    "max": lambda values: (max(values), True),
    "mean": lambda values: (sum(values, Fraction(0)) / len(values), True),
    "median": _median,
    "round": _round,
    "sqrt": _sqrt,
    "percent": _percent,
    "abs": _unary("abs", abs),
    "floor": _unary("floor", lambda value: Fraction(math.floor(value))),
    "ceil": _unary("ceil", lambda value: Fraction(math.ceil(value))),
}
"""`percent(a, b)` is a as a percentage of b; lists and single numbers may be mixed."""
