"""Writes and reads tables of FOCUS rows as CSV and Parquet."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from eventing.focus.check import Report, check
from eventing.focus.columns import COLUMNS, NAMES
from eventing.focus.forms import TIME_FORMAT
from eventing.focus.rules import Row

DECIMAL_DIGITS, DECIMAL_SCALE = 38, 18
"""Of Parquet's decimals: prices of a token have up to 15 decimals; more is refused, not rounded."""

PARQUET = b"PAR1"
"""The first bytes of a Parquet file."""

_DECIMALS = tuple(column.name for column in COLUMNS if column.kind == "decimal")


def csv_lines(rows: Iterable[Row], *, header: bool) -> str:
    """Return rows as CSV (RFC 4180); nulls are empty.

    Decimals keep a decimal point also where they are whole: readers that guess a column's type
    from its values, the specification's validator among them, else take it for integers.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, NAMES, lineterminator="\r\n")
    if header:
        writer.writeheader()
    writer.writerows({**row, **{n: _pointed(row.get(n)) for n in _DECIMALS}} for row in rows)
    return text.getvalue()


def _pointed(number: str | None) -> str | None:
    return f"{number}.0" if number and "." not in number else number


class ParquetTable:
    """Writes rows as Parquet, one row group at a time, and hands over what is written."""

    def __init__(self) -> None:
        import pyarrow.parquet  # 95 ms: only who wants Parquet waits for it

        self._arrow: Any = pyarrow
        self._schema = pyarrow.schema([(c.name, self._type(c.kind)) for c in COLUMNS])
        self._sink = _Sink()
        self._writer = pyarrow.parquet.ParquetWriter(self._sink, self._schema, compression="zstd")

    def _type(self, kind: str) -> Any:
        if kind == "decimal":
            return self._arrow.decimal128(DECIMAL_DIGITS, DECIMAL_SCALE)
        return self._arrow.timestamp("ms", tz="UTC") if kind == "instant" else self._arrow.string()

    def add(self, rows: Sequence[Row]) -> bytes:
        """Write rows; return the bytes that are done."""
        arrays = [self._arrow.array([_value(c.kind, row.get(c.name)) for row in rows],
                                    type=self._type(c.kind)) for c in COLUMNS]
        if rows:
            self._writer.write_table(self._arrow.Table.from_arrays(arrays, schema=self._schema))
        return self._sink.taken()

    def close(self) -> bytes:
        """Return the file's end."""
        self._writer.close()
        return self._sink.taken()


class _Sink(io.RawIOBase):
    """Keeps what is written until it is taken; knows how much that was in all."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        """Tell that it can be written to."""
        return True

    def write(self, data: Any) -> int:
        """Take some bytes."""
        part = bytes(data)
        self._parts.append(part)
        self._size += len(part)
        return len(part)

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self._size

    def taken(self) -> bytes:
        """Return the bytes that nobody took yet."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


def _value(kind: str, text: str | None) -> Any:
    from datetime import datetime
    from decimal import Decimal

    if not text:
        return None
    if kind == "decimal":
        return Decimal(text)
    return datetime.fromisoformat(text) if kind == "instant" else text


def checked_file(path: Path) -> Report:
    """Return what is wrong with a file, CSV or Parquet by its first bytes.

    Raises:
        OSError: it cannot be read.
        ValueError: it is neither.
    """
    with path.open("rb") as file:
        is_parquet = file.read(len(PARQUET)) == PARQUET
    if is_parquet:
        names, rows = _parquet(path)
        return check(names, rows)
    with path.open(newline="", encoding="utf-8-sig") as file:
        lines = csv.reader(file, strict=True)
        try:
            names = next(lines, [])
            return check(names, _named(names, lines))
        except csv.Error as error:
            raise ValueError(f"line {lines.line_num}: {error}") from error


def _named(names: list[str], lines: Iterable[list[str]]) -> Iterator[Row]:
    """Yield rows by column; an empty cell of a CSV file is null."""
    for number, cells in enumerate(lines, 1):
        if len(cells) != len(names):
            raise ValueError(f"row {number} has {len(cells)} cells, the header has {len(names)}")
        yield {name: cell or None for name, cell in zip(names, cells, strict=True)}


def _parquet(path: Path) -> tuple[list[str], Iterator[Row]]:
    import pyarrow.parquet

    table = pyarrow.parquet.ParquetFile(path)
    rows = (dict(zip(table.schema_arrow.names, map(_text, values), strict=True))
            for batch in table.iter_batches() for values in zip(*batch.to_pydict().values(),
                                                                strict=True))
    return list(table.schema_arrow.names), rows


def _text(value: Any) -> str | None:
    from datetime import UTC, datetime
    from decimal import Decimal

    if value is None or isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return (value.astimezone(UTC) if value.tzinfo else value).strftime(TIME_FORMAT)
    return format(Decimal(repr(value)) if isinstance(value, float) else value, "f") \
        if isinstance(value, Decimal | float) else str(value)
