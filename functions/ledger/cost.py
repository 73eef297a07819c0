"""Turns usage and rates into cost lines and a total, exactly, without I/O."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, localcontext

from functions.ledger.rates import ZERO, Rates
from shared.amounts import NANO
from shared.usage import REQUEST, UNPRICED, Usage

EXACT = Context(prec=60)
"""Enough for any product of a price and a count below 2^53: nothing is rounded on the way."""

Meter = tuple[str, int, Decimal]
"""What counts, how many, and the price of one."""


@dataclass(frozen=True, slots=True)
class Priced:
    """What a usage costs: Σ lines + rounding = total."""

    total_nano: int
    rounding_nano: str
    """Exact decimal text, below 1."""
    lines: tuple[dict[str, str | int], ...]


def price(usage: Usage, rates: Rates) -> Priced:
    """Return the lines of every meter that counted, and their sum rounded up once."""
    return _summed(rates.sku, list(_meters(usage, rates)))


def most(rates: Rates, input_tokens_max: int, output_tokens_max: int) -> Priced:
    """Return the most a call can cost: every token in the dearest class it may turn out to be."""
    if rates.per_call is not None:
        return _summed(rates.sku, [("calls", 1, rates.per_call)])
    meters = (("input_max", input_tokens_max, rates.worst_input),
              ("output_max", output_tokens_max, rates.worst_output))
    return _summed(rates.sku, [meter for meter in meters if meter[1]])


def fitting(rates: Rates, input_tokens_max: int, have_nano: int) -> int | None:
    """Return the largest output cap whose reservation `have_nano` covers; below 0 if none does.

    `None` where a smaller cap changes nothing: calls with a price of their own, free output.
    """
    if rates.per_call is not None or not rates.worst_output:
        return None
    with localcontext(EXACT):
        left = Decimal(have_nano) / NANO - input_tokens_max * rates.worst_input
        return int((left / rates.worst_output).to_integral_value(ROUND_FLOOR))


def _meters(usage: Usage, rates: Rates) -> Iterable[Meter]:
    if rates.per_call is not None:
        yield "calls", 1, rates.per_call
    for name, count in usage.classes.items():
        if count:
            yield name, count, rates.per_token.get(name, ZERO)
    for name, count in usage.requests.items():
        if count:
            known = rates.request_price(name)
            yield f"{UNPRICED if known is None else REQUEST}{name}", count, known or ZERO


def _summed(sku: str, meters: Iterable[Meter]) -> Priced:
    lines: list[dict[str, str | int]] = []
    exact = ZERO
    for meter, qty, unit in meters:
        cost = EXACT.multiply(unit, qty)
        exact = EXACT.add(exact, cost)
        lines.append({"sku": f"{sku}:{meter}", "meter": meter, "qty": qty,
                      "unit_price": _text(unit), "cost_usd": _text(cost)})
    nano = EXACT.multiply(exact, NANO)
    total = nano.to_integral_value(ROUND_CEILING, EXACT)
    return Priced(int(total), _text(EXACT.subtract(total, nano)), tuple(lines))


def _text(amount: Decimal) -> str:
    plain = format(amount, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
