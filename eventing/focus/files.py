"""Writes and reads tables of FOCUS rows as CSV and Parquet."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from eventing.focus.check import Report, Row, check
from eventing.focus.columns import COLUMNS, NAMES

DECIMAL_DIGITS, DECIMAL_SCALE = 38, 18
"""Of Parquet's decimals: prices of a token have up to 15 decimals; more is refused, not rounded."""


def csv_lines(rows: Iterable[Row], *, header: bool) -> str:
    """Return rows as CSV (RFC 4180); nulls are empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, NAMES, lineterminator="\r\n")
    if header:
        writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


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
    """Return what is wrong with a file, CSV or Parquet by its name.

    Raises:
        OSError: it cannot be read.
        ValueError: it is neither.
    """
    if path.suffix == ".parquet":
        names, rows = _parquet(path)
        return check(names, rows)
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        return check(list(reader.fieldnames or ()), reader)


def _parquet(path: Path) -> tuple[list[str], Iterator[Row]]:
    import pyarrow.parquet

    table = pyarrow.parquet.ParquetFile(path)
    rows = (dict(zip(table.schema_arrow.names, map(_text, values), strict=True))
            for batch in table.iter_batches() for values in zip(*batch.to_pydict().values(),
                                                                strict=True))
    return list(table.schema_arrow.names), rows


def _text(value: Any) -> str | None:
    from datetime import datetime
    from decimal import Decimal

    if value is None or isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return format(value, "f") if isinstance(value, Decimal) else str(value)
