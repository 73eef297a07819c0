"""Reads a provider's invoice, and sets it beside what the events say, without I/O."""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation, localcontext
from typing import Any, NamedTuple

from eventing.focus.check import DIGITS
from functions.costs.questions.question import fault, refuse
from shared.amounts import NANO
from shared.errors import Permanent

INVOICE_LINES_MAX = 20_000
"""A month by day, model and token class is some hundreds."""

INVOICE_FAULTS_MAX = 50
QUANTITY_DIGITS_MAX = 18
USD_MAX = 10**9
COST_CHARS_MAX = 40
"""Of one line of an invoice: what adds up exactly, with room for parts of a nano-USD."""

FIELDS = ("day", "provider", "model", "token_class", "quantity", "cost_usd")


class Key(NamedTuple):
    """What tells the lines of an invoice apart."""

    day: str
    provider: str
    model: str
    token_class: str


class Amount(NamedTuple):
    """What a line comes to."""

    quantity: int = 0
    nano: Decimal = Decimal(0)
    """Nano-USD, with its fraction: a class of a day need not be whole."""

    def plus(self, other: "Amount") -> "Amount":
        """Return both, added up exactly."""
        with localcontext(prec=DIGITS):
            return Amount(self.quantity + other.quantity, self.nano + other.nano)


def read_invoice(body: bytes, media: str) -> dict[Key, Amount]:
    """Return the lines of an invoice, CSV or JSON; lines of one day and class are added up.

    Raises:
        Permanent: (422) it is none: every wrong line is named, up to `INVOICE_FAULTS_MAX`.
    """
    lines = _from_json(body) if "json" in media else _from_csv(body)
    if not 1 <= len(lines) <= INVOICE_LINES_MAX:
        raise Permanent(f"an invoice has 1 to {INVOICE_LINES_MAX} lines; this has {len(lines)}")
    faults: list[dict[str, str]] = []
    found: dict[Key, Amount] = defaultdict(Amount)
    for number, line in lines:
        try:
            key, amount = _line(line)
        except (ValueError, KeyError, TypeError) as error:
            faults.append(fault(f"line {number}", _said(error)))
            continue
        found[key] = Amount(found[key].quantity + amount.quantity, found[key].nano + amount.nano)
    refuse(faults[:INVOICE_FAULTS_MAX])
    return dict(found)


def _from_json(body: bytes) -> list[tuple[int, Any]]:
    try:
        found = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise Permanent(f"the invoice is no JSON: {error}") from error
    lines = found.get("lines") if isinstance(found, dict) else found
    if not isinstance(lines, list):
        raise Permanent('the invoice is neither a list of lines nor {"lines": […]}')
    return list(enumerate(lines, 1))


def _from_csv(body: bytes) -> list[tuple[int, Any]]:
    """Return the rows, each with its line in the file: the header is the first."""
    try:
        reader = csv.DictReader(io.StringIO(body.decode("utf-8-sig")))
        missing = [name for name in FIELDS if name not in (reader.fieldnames or ())]
        if missing:
            raise Permanent(f"the invoice lacks the columns {', '.join(missing)}; "
                            f"needed are {', '.join(FIELDS)}")
        return [(reader.line_num, row) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise Permanent(f"the invoice is no CSV in UTF-8: {error}") from error


def _line(line: Mapping[str, Any]) -> tuple[Key, Amount]:
    found = {name: line[name] for name in FIELDS}
    names = ["" if value is None else str(value).strip() for value in found.values()]
    day, provider, model, token_class, quantity, cost = names
    if not all(names):
        raise ValueError(f"{FIELDS[names.index('')]} is empty")
    if not _is_day(day):
        raise ValueError(f"day: {day!r} is no day such as 2026-11-21")
    if not quantity.isdecimal() or len(quantity) > QUANTITY_DIGITS_MAX:
        raise ValueError(f"quantity: {quantity[:80]!r} is no whole number from 0, or too large")
    amount = Amount(int(quantity), _nano(cost))
    return Key(day, provider, bare(model, provider), token_class), amount


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _nano(cost: str) -> Decimal:
    try:
        usd = Decimal(cost)
    except InvalidOperation:
        usd = Decimal("NaN")
    if not usd.is_finite() or abs(usd) > USD_MAX or len(cost) > COST_CHARS_MAX:
        raise ValueError(f"cost_usd: {cost[:80]!r} is no amount in US dollars")
    return usd * NANO


def _said(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing"
    return "is no line of an invoice" if isinstance(error, TypeError) else str(error)


def bare(model: str, provider: str) -> str:
    """Return a model's name without its provider's before it."""
    return model.removeprefix(f"{provider}/")


def charged(rows: Iterable[Mapping[str, str | None]]) -> dict[Key, Amount]:
    """Return what FOCUS rows of models say, by the same keys."""
    found: dict[Key, Amount] = defaultdict(Amount)
    with localcontext(prec=DIGITS):
        for row in rows:
            if row["x_Kind"] == "tool" or not row.get("SkuMeter"):
                continue
            provider = row["ProviderName"] or ""
            key = Key((row["ChargePeriodStart"] or "")[:10], provider,
                      bare(row["ServiceName"] or "", provider), row["SkuMeter"] or "")
            nano = Decimal(row["BilledCost"] or 0) * NANO
            found[key] = found[key].plus(Amount(int(row["ConsumedQuantity"] or 0), nano))
    return dict(found)


def beside(events: Mapping[Key, Amount], invoice: Mapping[Key, Amount]) -> list[dict[str, Any]]:
    """Return every day and class with both figures and invoice less events."""
    rows = []
    for key in sorted({*events, *invoice}):
        ours, theirs = events.get(key, Amount()), invoice.get(key)
        rows.append({
            **key._asdict(), "events_quantity": ours.quantity, "events_nano": _text(ours.nano),
            "invoice_quantity": theirs.quantity if theirs else None,
            "invoice_nano": _text(theirs.nano) if theirs else None,
            "difference_quantity": theirs.quantity - ours.quantity if theirs else None,
            "difference_nano": _text(theirs.nano - ours.nano) if theirs else None,
            "agrees": theirs == ours if theirs else None})
    return rows


def _text(nano: Decimal) -> int | str:
    return int(nano) if nano == nano.to_integral_value() else format(nano.normalize(), "f")
