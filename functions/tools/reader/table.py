"""Profiles a CSV file exactly: counts, sums, extremes, groups, and pages of rows."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Context, Decimal, Inexact

from pydantic import BaseModel

from functions.tools.declare import ToolError
from shared.limits import (
    DOCUMENT_COLUMNS_MAX,
    DOCUMENT_GROUPS_MAX,
    DOCUMENT_PAGE_CHARS_MAX,
)

_NUMBER = re.compile(r"-?\d{1,30}(\.\d{1,30})?")
_EXACT = Context(prec=200, traps=[Inexact])
"""Raises instead of rounding; sums of numbers of 60 digits never need so many."""

_DELIMITERS = ",;\t|"


class Profile(BaseModel):
    """One column; `sum` only where every filled cell is a number."""

    filled: int
    distinct: int
    sum: str | None
    min: str | None
    max: str | None


class Group(BaseModel):
    """The rows that share a value."""

    value: str
    rows: int
    sums: dict[str, str]


class Table(BaseModel):
    """A CSV file as a model needs it: figures to compute with, rows on demand."""

    kind: str = "csv"
    rows: int
    columns: dict[str, Profile]
    groups: list[Group]
    """In the order of their values; empty without `group_by`."""
    items: list[dict[str, str]]
    next_offset: int | None
    """Where the next page of rows begins, if there is one and rows were asked for."""


def table(text: str, *, group_by: str | None, columns: Sequence[str], offset: int,
          limit: int) -> Table:
    """Return the profile of a CSV text.

    Raises:
        ToolError: a row does not fit the header, a column is unknown, or there are too many.
    """
    names, rows = _parsed(text)
    chosen = _known(names, columns) or names
    by_name = dict(zip(names, zip(*rows, strict=True) if rows else [()] * len(names),
                       strict=True))
    page, following = _page(names, rows, offset, limit)
    return Table(
        rows=len(rows), columns={name: _profile(by_name[name]) for name in chosen},
        groups=_groups(by_name, group_by, chosen) if group_by else [],
        items=page, next_offset=following)


def _parsed(text: str) -> tuple[list[str], list[list[str]]]:
    first = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    try:
        lines = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if row]
    except csv.Error as error:
        raise ToolError(f"not a CSV file: {error}") from error
    if not lines:
        raise ToolError("the CSV file is empty")
    names, rows = [name.strip() for name in lines[0]], lines[1:]
    if len(names) > DOCUMENT_COLUMNS_MAX or len(set(names)) < len(names):
        raise ToolError(f"the header needs at most {DOCUMENT_COLUMNS_MAX} different names")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(names):
            raise ToolError(f"row {number} has {len(row)} fields, the header {len(names)}")
    return names, rows


def _known(names: Sequence[str], asked: Sequence[str]) -> list[str]:
    for name in asked:
        if name not in names:
            raise ToolError(f"there is no column {name!r}; columns: {', '.join(names)}")
    return list(asked)


def _profile(cells: Sequence[str]) -> Profile:
    filled = [cell for cell in cells if cell.strip()]
    numbers = _numbers(filled)
    if numbers:
        least, most = min(numbers), max(numbers)
        return Profile(filled=len(filled), distinct=len(set(filled)), sum=f"{_sum(numbers):f}",
                       min=f"{least:f}", max=f"{most:f}")
    return Profile(filled=len(filled), distinct=len(set(filled)), sum=None,
                   min=min(filled, default=None), max=max(filled, default=None))


def _groups(by_name: Mapping[str, Sequence[str]], key: str, chosen: Sequence[str]) -> list[Group]:
    _known(list(by_name), [key])
    rows_of: dict[str, list[int]] = {}
    for at, value in enumerate(by_name[key]):
        rows_of.setdefault(value, []).append(at)
    if len(rows_of) > DOCUMENT_GROUPS_MAX:
        raise ToolError(f"{key} has {len(rows_of)} values, at most {DOCUMENT_GROUPS_MAX} can be "
                        "grouped")
    numeric = [n for n in chosen if n != key and _numbers([c for c in by_name[n] if c.strip()])]
    return [Group(value=value, rows=len(at), sums={
        name: f"{_sum(_numbers([by_name[name][i] for i in at])):f}" for name in numeric})
        for value, at in sorted(rows_of.items())]


def _numbers(cells: Iterable[str]) -> list[Decimal]:
    """Return the cells as numbers, blanks left out, or nothing if one is no number."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    if not all(map(_NUMBER.fullmatch, filled)):
        return []
    return [Decimal(cell) for cell in filled]


def _sum(numbers: Iterable[Decimal]) -> Decimal:
    total = Decimal(0)
    for number in numbers:
        total = _EXACT.add(total, number)
    return total


def _page(names: Sequence[str], rows: Sequence[Sequence[str]], offset: int,
          limit: int) -> tuple[list[dict[str, str]], int | None]:
    page: list[dict[str, str]] = []
    size = 0
    for row in rows[offset:offset + limit]:
        size += sum(map(len, row)) + sum(map(len, names))
        if size > DOCUMENT_PAGE_CHARS_MAX and page:
            break
        page.append(dict(zip(names, row, strict=True)))
    following = offset + len(page)
    return page, following if limit and following < len(rows) else None
