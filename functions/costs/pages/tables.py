"""A table of figures, once: shown on a page, drawn as a chart, written as CSV. Without I/O."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal
from urllib.parse import quote

from functions.costs.questions.dimensions import usd_text

Kind = Literal["text", "id", "time", "usd", "count", "ms", "share", "amount", "gauge", "bar"]
"""What a column holds. `usd` is nano-USD, `ms` milliseconds, `share` parts of 10 000."""

NUMBERS = frozenset({"usd", "count", "ms", "share", "amount"})
DRAWN = frozenset({"gauge", "bar"})
"""Pictures of what other columns say: they are no figures of their own."""

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What spreadsheets take for the beginning of a formula."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its title, and what it holds."""

    title: str
    kind: Kind = "text"

    @property
    def numeric(self) -> bool:
        """Tell whether its cells are numbers."""
        return self.kind in NUMBERS


@dataclass(frozen=True, slots=True)
class Link:
    """A text that leads to where its figures are told apart."""

    text: str
    href: str

    @classmethod
    def to_task(cls, name: str | None) -> "Link | None":
        """Return what leads to a task's page; `None` for what belongs to no task."""
        return cls(name, f"/tasks/{quote(name, safe='')}") if name else None


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount in its account's unit; nano-USD where that is `usd`."""

    value: int | None
    unit: str


@dataclass(frozen=True, slots=True)
class Gauge:
    """How full a limit is; the unit does not matter."""

    posted: int
    held: int
    limit: int
    label: str


@dataclass(frozen=True, slots=True)
class Bar:
    """When something ran, in parts of 1 000 of the whole time."""

    x: int
    width: int
    kind: str
    label: str


Cell = str | int | None | Link | Amount | Gauge | Bar


@dataclass(frozen=True, slots=True)
class Chart:
    """How a table is drawn: its first column along the bottom, its numbers upwards.

    `stack` piles the columns up except the last, which is their sum.
    """

    kind: Literal["stack", "lines"]
    label: str
    """What a screen reader says instead."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of figures under columns; `foot` are sums, shown below and apart."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: Sequence[tuple[Cell, ...]]
    foot: Sequence[tuple[Cell, ...]] = ()
    note: str = ""
    empty: str = "Nothing yet."
    chart: Chart | None = None
    wide: bool = False
    """Whether it takes the whole width of the page."""

    def csv(self) -> str:
        """Return the table as CSV (RFC 4180): amounts as exact USD and as nano-USD."""
        text = io.StringIO()
        writer = csv.writer(text)
        kept = [n for n, column in enumerate(self.columns) if column.kind not in DRAWN]
        writer.writerow([title for n in kept for title in _titles(self.columns[n])])
        for row in (*self.rows, *self.foot):
            writer.writerow([part for n in kept for part in _parts(row[n], self.columns[n])])
        return text.getvalue()


@dataclass(frozen=True, slots=True)
class Card:
    """One figure that is seen first."""

    title: str
    cell: Cell
    kind: Kind
    note: str = ""
    tone: Literal["", "good", "bad"] = ""
    name: str = ""


def columns(*names: str | tuple[str, Kind]) -> tuple[Column, ...]:
    """Return columns of titles, and of titles with kinds."""
    return tuple(Column(name) if isinstance(name, str) else Column(*name) for name in names)


def share(part: int, whole: int) -> int | None:
    """Return part of whole in parts of 10 000, rounded half up; `None` without a whole."""
    return (2 * 10_000 * part + whole) // (2 * whole) if whole > 0 else None


def _titles(column: Column) -> Iterable[str]:
    match column.kind:
        case "usd":
            return f"{column.title} (USD)", f"{column.title} (nano-USD)"
        case "amount":
            return column.title, f"{column.title}: unit"
        case "ms" | "share":
            return (f"{column.title} ({'ms' if column.kind == 'ms' else '%'})",)
        case _:
            return (column.title,)


def _parts(cell: Cell, column: Column) -> Iterable[str]:
    match cell:
        case Amount(value, unit):
            return ("" if value is None else str(value), "nano-USD" if unit == "usd" else unit)
        case None:
            return ("", "") if column.kind in ("usd", "amount") else ("",)
        case int() if column.kind == "usd":
            return usd_text(cell), str(cell)
        case str() if column.kind == "usd":
            return f"{Decimal(cell).scaleb(-9):f}", cell
        case int() if column.kind == "share":
            return (f"{cell / 100:.2f}",)
        case int():
            return (str(cell),)
        case Link(text, _):
            return (_plain(text),)
        case _:
            return (_plain(str(cell)),)


def _plain(text: str) -> str:
    """Return the text such that no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text
