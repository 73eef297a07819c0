"""Holds the sums of an hour, day or month as columns, and writes them as one text; without I/O."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Columns:
    """Amounts by measure, each as long as the rows that they belong to."""

    rows: tuple[str, ...]
    amounts: Mapping[str, Sequence[int]]
    """Letter of a measure → an amount for each row, 0 where it has none."""

    @property
    def count(self) -> int:
        """Return how many amounts there are."""
        return len(self.rows) * len(self.amounts)


def columns_of(fields: Iterable[tuple[str, str]]) -> Columns:
    """Return the columns of different fields `<row><letter>`."""
    by_letter: dict[str, dict[str, int]] = {}
    for name, amount in fields:
        letter = name[-1]
        if letter in by_letter:
            by_letter[letter][name[:-1]] = int(amount)
        else:
            by_letter[letter] = {name[:-1]: int(amount)}
    rows = tuple(sorted(set().union(*by_letter.values())))
    return Columns(rows, {letter: [column.get(row, 0) for row in rows]
                          for letter, column in by_letter.items()})


def packed(version: str, columns: Columns) -> str:
    """Return a text that one read brings back, with the version of the sums that it is of."""
    return _encoded([version, columns.rows, columns.amounts])


def unpacked(text: str | None, version: str) -> Columns | None:
    """Return the columns of such a text; `None` where it is of another version, or missing."""
    if text is None or not text.startswith(f'["{version}",'):
        return None
    _, rows, amounts = json.loads(text)
    return Columns(tuple(rows), amounts)


_encoded = json.JSONEncoder(separators=(",", ":")).encode
