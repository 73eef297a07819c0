"""The form of archived events: Parquet that any reader understands, the event itself as JSON."""

import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

from eventing.event import CONTEXT, Event
from eventing.http import encode_structured
from functions.costs.events.facts import read

COLUMNS = ("id", "kind", "at_ms", "hour", "task", "agent", "cost_nano", "event")
NUMBERS = ("at_ms", "cost_nano")

AT_ONCE = 500
"""Events of a row group: what is read or written of a file is a few MiB in memory."""

_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def encoded(events: Sequence[Event]) -> bytes:
    """Return events as a Parquet file; equal events give a file of equal content."""
    import pyarrow  # 95 ms
    import pyarrow.parquet

    kinds = dict.fromkeys(COLUMNS, pyarrow.string()) | dict.fromkeys(NUMBERS, pyarrow.int64())
    schema, sink = pyarrow.schema(kinds.items()), io.BytesIO()
    with pyarrow.parquet.ParquetWriter(sink, schema, compression="zstd") as writer:
        for start in range(0, len(events), AT_ONCE):
            rows = zip(*map(_row, events[start:start + AT_ONCE]), strict=True)
            columns = [pyarrow.array(values, kind) for values, kind in
                       zip(rows, kinds.values(), strict=True)]
            writer.write_table(pyarrow.table(columns, schema=schema))
    return sink.getvalue()


def _row(event: Event) -> tuple[str | int, ...]:
    fact = read(event)
    return (fact.id, fact.kind, fact.at_ms, fact.hour, fact.task, fact.agent, fact.sums.cost_nano,
            encode_structured(event)[1].decode())


def decoded(data: bytes, **wanted: str) -> Iterator[Event]:
    """Yield the events of a file, those only whose columns have the wanted values."""
    import pyarrow.compute
    import pyarrow.parquet

    file = pyarrow.parquet.ParquetFile(io.BytesIO(data))
    for n in range(file.num_row_groups):
        if not all(_may_have(file.metadata.row_group(n), *pair) for pair in wanted.items()):
            continue
        table = file.read_row_group(n, ["event", *wanted])
        for name, value in wanted.items():
            table = table.filter(pyarrow.compute.equal(table[name], value))
        yield from map(_event, table["event"].to_pylist())


def _may_have(group: Any, name: str, value: str) -> bool:
    """Tell whether a row group may have a value in a column: most can be left unread."""
    of_columns = (group.column(n) for n in range(group.num_columns))
    told = next((c.statistics for c in of_columns if c.path_in_schema == name), None)
    return told is None or not told.has_min_max or told.min <= value <= told.max


def _event(text: str) -> Event:
    """Return the event that `encoded` wrote: always JSON, so that it takes a tenth of `decode`."""
    document = json.loads(text)
    data = _compact(document.pop("data")).encode()
    known = {name: document.pop(name) for name in CONTEXT if name in document}
    return Event(**known, data=data, extensions=document)
