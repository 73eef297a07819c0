"""The routes that hand a month or a span over: FOCUS files, invoices, raw events.

What takes long goes out as it is made, and ends with whoever asked for it.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from eventing.event import Event
from eventing.focus.files import ParquetTable, csv_lines
from eventing.http import encode_structured
from functions.costs.export.charging import charges_of, rows_of
from functions.costs.export.focus import Charges
from functions.costs.export.invoice import Invoice, as_csv, as_text
from functions.costs.questions.question import fault, read_span, refuse
from functions.costs.questions.ranges import month_span
from functions.costs.routes.door import Door
from functions.costs.routes.wanted import while_wanted
from functions.costs.store.spans import between
from functions.costs.store.store import CostStore
from shared.errors import Permanent

LINES_AT_ONCE = 32
"""Events sent as one piece: some 64 KiB."""


class Exports:
    """What accounting takes away; everything is about the caller's own tenant."""

    def __init__(self, store: CostStore, door: Door) -> None:
        self._store = store
        self._door = door

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [Route("/v1/export/focus", self.focus, methods=["GET"]),
                Route("/v1/export/invoice", self.invoice, methods=["GET"])]

    async def focus(self, request: Request) -> Response:
        """`GET /v1/export/focus?month=&format=`: a month as FOCUS 1.2, streamed day by day."""
        tenant, month = self._door.client(request).tenant, month_of(request)
        form = _form(request, ("csv", "parquet"))
        charges = charges_of(self._store, tenant, month_span(month))
        name = f"focus-{tenant}-{month}.{form}"
        parts = _as_csv(charges) if form == "csv" else _as_parquet(charges)
        media = "text/csv" if form == "csv" else "application/vnd.apache.parquet"
        return StreamingResponse(parts, media_type=media, headers={
            "content-disposition": f'attachment; filename="{name}"'})

    async def invoice(self, request: Request) -> Response:
        """`GET /v1/export/invoice?month=&format=`: what a tenant pays for, line by line."""
        tenant, month = self._door.client(request).tenant, month_of(request)
        form = _form(request, ("json", "text", "csv"))
        return await while_wanted(request, self._invoice(tenant, month, form))

    async def _invoice(self, tenant: str, month: str, form: str) -> Response:
        summing = Invoice(tenant, month)
        async for charges in charges_of(self._store, tenant, month_span(month)):
            async for rows in rows_of(charges):
                summing.add(rows)
        found = summing.told()
        if form == "json":
            return JSONResponse(found)
        if form == "csv":
            return PlainTextResponse(as_csv(found), media_type="text/csv")
        return PlainTextResponse(as_text(found))


async def ndjson(store: CostStore, tenant: str, request: Request) -> Response:
    """Return every event of `from` to `to`, one structured CloudEvent a line.

    Raises:
        Permanent: neither is given, or they make no sense.
    """
    faults: list[dict[str, str]] = []
    span = read_span(request.query_params, faults)
    if not faults and (span.start_ms is None or span.end_ms is None):
        faults.append(fault("task", "name the task whose events you want, or from and to"))
    refuse(faults)

    return StreamingResponse(_lines(between(store, tenant, span)),
                             media_type="application/x-ndjson")


async def _lines(events: AsyncIterator[Event]) -> AsyncIterator[bytes]:
    waiting: list[bytes] = []
    async for event in events:
        waiting.append(encode_structured(event)[1] + b"\n")
        if len(waiting) == LINES_AT_ONCE:
            yield b"".join(waiting)
            waiting.clear()
    yield b"".join(waiting)


def month_of(request: Request) -> str:
    """Return the month that a request names.

    Raises:
        Permanent: it names none, or none that has begun.
    """
    month = request.query_params.get("month", "")
    try:
        month_span(month)
    except ValueError:
        said = f"{month!r} is no month such as 2026-11"
        raise Permanent(f"month: {said}", errors=[fault("month", said)]) from None
    if month > datetime.now(UTC).strftime("%Y-%m"):
        raise Permanent(f"month: {month} has not begun", errors=[fault("month", "in the future")])
    return month


def _form(request: Request, allowed: tuple[str, ...]) -> str:
    form = request.query_params.get("format", allowed[0])
    if form not in allowed:
        raise Permanent(f"format: {form!r} is none of {', '.join(allowed)}")
    return form


async def _as_csv(days: AsyncIterator[Charges]) -> AsyncIterator[str]:
    yield csv_lines([], header=True)
    async for charges in days:
        async for rows in rows_of(charges):
            yield csv_lines(rows, header=False)


async def _as_parquet(days: AsyncIterator[Charges]) -> AsyncIterator[bytes]:
    table = ParquetTable()
    async for charges in days:
        rows = [row async for part in rows_of(charges) for row in part]
        yield await asyncio.to_thread(table.add, rows)
    yield table.close()
