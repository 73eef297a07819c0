"""Turns usage and rates into cost lines and a total, exactly, without I/O."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext

from functions.ledger.rates import Rates
from shared.usage import REQUEST, UNPRICED, Usage

NANO = Decimal(1_000_000_000)
DIGITS = 60
"""Enough for any product of a price and a count below 2^53: nothing is rounded on the way."""


@dataclass(frozen=True, slots=True)
class Priced:
    """What a usage costs: Σ lines + rounding = total."""

    total_nano: int
    rounding_nano: str
    """Exact decimal text, below 1."""
    lines: tuple[dict[str, str | int], ...]


def price(usage: Usage, rates: Rates) -> Priced:
    """Return the lines of every meter that counted, and their sum rounded up once."""
    with localcontext(prec=DIGITS):
        return _summed(list(_lines(usage, rates)))


def most(rates: Rates, input_tokens_max: int, output_tokens_max: int) -> Priced:
    """Return the most a call can cost: every token in the dearest class it may turn out to be."""
    with localcontext(prec=DIGITS):
        lines = [
            _line(rates.sku, "input_max", input_tokens_max, rates.worst_input),
            _line(rates.sku, "output_max", output_tokens_max, rates.worst_output),
        ] if rates.per_call is None else [_line(rates.sku, "calls", 1, rates.per_call)]
        return _summed([line for line in lines if line["qty"]])


def fitting(rates: Rates, input_tokens_max: int, have_nano: int) -> int | None:
    """Return the largest output cap whose reservation `have_nano` covers; below 0 if none does.

    `None` where a smaller cap changes nothing: calls with a price of their own, free output.
    """
    if rates.per_call is not None or not rates.worst_output:
        return None
    with localcontext(prec=DIGITS):
        left = Decimal(have_nano) / NANO - input_tokens_max * rates.worst_input
        return int((left / rates.worst_output).to_integral_value(ROUND_FLOOR))


def _lines(usage: Usage, rates: Rates) -> Iterable[dict[str, str | int]]:
    if rates.per_call is not None:
        yield _line(rates.sku, "calls", 1, rates.per_call)
    for name, count in usage.classes.items():
        if count:
            yield _line(rates.sku, name, count, rates.per_token.get(name, Decimal(0)))
    for name, count in usage.requests.items():
        if count:
            known = rates.request_price(name)
            yield _line(rates.sku, f"{UNPRICED if known is None else REQUEST}{name}", count,
                        known or Decimal(0))


def _line(sku: str, meter: str, qty: int, unit: Decimal) -> dict[str, str | int]:
    return {"sku": f"{sku}:{meter}", "meter": meter, "qty": qty, "unit_price": _text(unit),
            "cost_usd": _text(unit * qty)}


def _summed(lines: list[dict[str, str | int]]) -> Priced:
    exact = sum((Decimal(line["cost_usd"]) for line in lines), Decimal(0)) * NANO
    total = exact.to_integral_value(ROUND_CEILING)
    return Priced(int(total), _text(total - exact), tuple(lines))


def _text(amount: Decimal) -> str:
    plain = format(amount, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
