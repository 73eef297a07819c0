"""Checks tables against FOCUS 1.2, without I/O: header, cells, rows, and rows among each other."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext

from eventing.focus.columns import KNOWN, SPECIFIED, Column
from eventing.focus.forms import FORMS, decimal
from eventing.focus.rules import Row, broken

FAULTS_MAX = 100
"""A file with more is wrong as a whole; they are counted, the first ones listed."""

DIGITS = 60
"""Enough for any product of a price and a quantity: nothing is rounded."""

PARENTS = {"SkuPriceId": ("SkuId", "SkuPriceId-C-008-M"),
           "ServiceName": ("ServiceCategory", "ServiceName-C-005-C")}
"""What has one parent in a whole table, and the requirement that says so."""

CHILDREN_MAX = 1_000_000
"""Remembered with their parents; a table has thousands. A row with more is a fault."""


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
    report, families = Report(), _Families()
    for fault in _header(names):
        report.add(fault)
    with localcontext(prec=DIGITS):
        for number, row in enumerate(rows, 1):
            report.rows = number
            for fault in (*_row(row), *families.broken(row)):
                report.add(f"row {number}: {fault}")
            report.billed += decimal(row.get("BilledCost")) or Decimal(0)
    return report


def _header(names: Sequence[str]) -> Iterator[str]:
    for column in SPECIFIED:
        if column.needed == "mandatory" and column.name not in names:
            yield f"header: the mandatory column {column.name} is missing (CostAndUsage-D-002-M)"
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"header: the column {name} is there twice"
    for name in names:
        if name not in KNOWN and not name.startswith("x_"):
            yield (f"header: {name} is no column of FOCUS 1.2; own ones begin with x_ "
                   "(ColumnHandling-A-010-M)")


def _row(row: Row) -> Iterator[str]:
    wrong = [fault for column in SPECIFIED if column.name in row for fault in _cell(column, row)]
    yield from wrong or broken(row)


def _cell(column: Column, row: Row) -> Iterator[str]:
    text = row[column.name]
    if text is None:
        if not column.null:
            yield f'{column.name} is empty and must not be ({column.name}, "MUST NOT be null")'
    elif column.allowed and text not in column.allowed:
        yield (f"{column.name} is {text!r}; allowed are {', '.join(column.allowed)} "
               f'({column.name}, "Allowed values")')
    else:
        name, requirement, has_form = FORMS[column.kind]
        if not has_form(text):
            yield f"{column.name} is {text!r}, which is no {name} ({requirement})"


class _Families:
    """Remembers whose child is whose."""

    def __init__(self) -> None:
        self._parents: dict[tuple[str, str], str | None] = {}

    def broken(self, row: Row) -> Iterator[str]:
        """Yield what has another parent than in a row before."""
        for child, (parent, requirement) in PARENTS.items():
            name = row.get(child)
            if not name or parent not in row:
                continue
            if len(self._parents) >= CHILDREN_MAX:
                yield f"more than {CHILDREN_MAX} services and prices: {name!r} is not compared"
                return
            first = self._parents.setdefault((child, name), row[parent])
            if first != row[parent]:
                yield (f"{child} {name!r} has the {parent} {row[parent]!r}, and {first!r} in a "
                       f"row before ({requirement})")
