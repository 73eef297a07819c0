"""Lays tables out in lines, without I/O: no word is broken, and no cell is cut.

A row that is wider than the terminal goes on over its edge, so that what is copied, searched or
piped is whole; only sentences are folded, at their spaces, where there is room for that.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from textwrap import wrap
from typing import Any

from rich.cells import cell_len

GAP = "  "
PROSE_COLUMNS_MIN = 24
"""In less room sentences are hard to read: their rows are not folded at all."""


def laid_out(heads: Sequence[str], rows: Iterable[Sequence[Any]], width: int | None) -> list[str]:
    """Return the table's lines, the head first; without a `width`, a line per row.

    A head's last character says what its column holds: `#` numbers, `~` sentences.
    """
    cells = [[head.rstrip("#~ ") for head in heads], *([_text(cell) for cell in row]
                                                       for row in rows)]
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    for at, head in enumerate(heads):
        if head.endswith("~") and width is not None:
            widths[at] = _room(widths, at, width)
    is_number = [head.endswith("#") for head in heads]
    return [line for row in cells for line in _lines(row, widths, is_number)]


def _text(cell: Any) -> str:
    return "" if cell is None else " ".join(str(cell).split())


def _room(widths: Sequence[int], at: int, width: int) -> int:
    """Return how wide a column of sentences is; as wide as they are if there is too little room."""
    room = width - sum(widths) + widths[at] - len(GAP) * (len(widths) - 1)
    return widths[at] if room < PROSE_COLUMNS_MIN else min(room, widths[at])


def _lines(row: Sequence[str], widths: Sequence[int], is_number: Sequence[bool]) -> Iterator[str]:
    folded = [[cell] if cell_len(cell) <= width else wrap(
        cell, width, break_long_words=False, break_on_hyphens=False)
        for cell, width in zip(row, widths, strict=True)]
    for line in zip_longest(*folded, fillvalue=""):
        yield GAP.join(_padded(*one) for one in zip(line, widths, is_number, strict=True)).rstrip()


def _padded(cell: str, width: int, is_number: bool) -> str:
    space = " " * (width - cell_len(cell))
    return space + cell if is_number else cell + space
