"""Checks rows against the rules of FOCUS 1.2 (`columns.py`), without I/O."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation, localcontext

from eventing.focus.columns import (
    ADJUSTMENT,
    COLUMNS,
    CORRECTION,
    NAMES,
    TIME_FORMAT,
    USAGE,
    Column,
)

FAULTS_MAX = 100
"""A file with more is wrong as a whole; they are counted, the first ones listed."""

DIGITS = 60
"""Enough for any product of a price and a quantity: nothing is rounded."""

Row = Mapping[str, str | None]


@dataclass(slots=True)
class Report:
    """What a check found."""

    rows: int = 0
    faults: list[str] = field(default_factory=list)
    fault_count: int = 0
    billed: Decimal = Decimal(0)
    """The sum of BilledCost."""

    def add(self, fault: str) -> None:
        """Note one fault."""
        self.fault_count += 1
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(fault)


def check(names: Sequence[str], rows: Iterable[Row]) -> Report:
    """Return what is wrong with a table: its header, then each row, named by its number from 1."""
    report = Report()
    for fault in _header(names):
        report.add(fault)
    with localcontext(prec=DIGITS):
        for number, row in enumerate(rows, 1):
            report.rows = number
            for fault in _row(row):
                report.add(f"row {number}: {fault}")
            report.billed += _decimal(row.get("BilledCost")) or Decimal(0)
    return report


def _header(names: Sequence[str]) -> Iterator[str]:
    for column in COLUMNS:
        if column.mandatory and column.name not in names:
            yield f"header: the mandatory column {column.name} is missing"
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"header: the column {name} is there twice"
    for name in names:
        if name not in NAMES and not name.startswith("x_"):
            yield f"header: {name} is no column of FOCUS 1.2 known here; own ones begin with x_"


def _row(row: Row) -> Iterator[str]:
    wrong = [fault for column in COLUMNS if column.name in row for fault in _cell(column, row)]
    yield from wrong
    if not wrong:
        yield from _charge(row)
        yield from _period(row)


def _cell(column: Column, row: Row) -> Iterator[str]:
    text = row[column.name] or None
    if text is None:
        if not column.null:
            yield f"{column.name} is empty and must not be"
    elif column.allowed and text not in column.allowed:
        yield f"{column.name} is {text!r}; allowed are {', '.join(column.allowed)}"
    elif not _has_form(column, text):
        yield f"{column.name} is {text!r}, which is no {column.kind}"


def _has_form(column: Column, text: str) -> bool:
    match column.kind:
        case "decimal":
            return _decimal(text) is not None
        case "instant":
            return _instant(text) is not None
        case "json":
            return _is_tags(text)
        case _:
            return True


def _charge(row: Row) -> Iterator[str]:
    """Check what the cells of a charge say together ("Columns", normative requirements)."""
    usage = row.get("ChargeCategory") == USAGE and row.get("ChargeClass") != CORRECTION
    needed = ("PricingQuantity", "PricingUnit", "ListUnitPrice", "ContractedUnitPrice")
    if usage:
        yield from (f"{name} is empty: usage has one" for name in needed if not row.get(name))
    if row.get("ChargeCategory") == ADJUSTMENT and row.get("PricingCategory"):
        yield "PricingCategory is set: an adjustment has none"
    for quantity, unit in (("PricingQuantity", "PricingUnit"),
                           ("ConsumedQuantity", "ConsumedUnit")):
        if bool(row.get(quantity)) != bool(row.get(unit)):
            yield f"{quantity} and {unit} belong together"
    for price, cost in (("ListUnitPrice", "ListCost"), ("ContractedUnitPrice", "ContractedCost")):
        yield from _product(row, price, cost)


def _product(row: Row, price: str, cost: str) -> Iterator[str]:
    unit, quantity = _decimal(row.get(price)), _decimal(row.get("PricingQuantity"))
    paid = _decimal(row.get(cost))
    if unit is None or quantity is None or paid is None:
        return
    if unit < 0:
        yield f"{price} is {unit}: below 0"
    if unit * quantity != paid:
        yield f"{price} × PricingQuantity is {unit * quantity}, {cost} is {paid}"


def _period(row: Row) -> Iterator[str]:
    for name in ("BillingPeriod", "ChargePeriod"):
        start, end = (_instant(row.get(f"{name}{edge}")) for edge in ("Start", "End"))
        if start is not None and end is not None and end <= start:
            yield f"{name}End is not after {name}Start"
    billed, charged = (_instant(row.get(f"{name}PeriodStart")) for name in ("Billing", "Charge"))
    if billed is not None and charged is not None and charged < billed:
        yield "ChargePeriodStart lies before BillingPeriodStart"


def _decimal(text: str | None) -> Decimal | None:
    try:
        found = Decimal(text or "")
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _instant(text: str | None) -> datetime | None:
    try:
        return datetime.strptime(text or "", TIME_FORMAT)  # noqa: DTZ007 – the Z is in the format
    except ValueError:
        return None


def _is_tags(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
