"""The routes for a provider's invoice: taken, kept, compared with the events."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from eventing.adapter import body_of
from functions.costs import keys
from functions.costs.export.charging import charges_of, rows_of
from functions.costs.questions.question import fault, read_span, refuse
from functions.costs.questions.ranges import DAY_MS, Span, day_of
from functions.costs.routes.door import Door
from functions.costs.routes.wanted import while_wanted
from functions.costs.store.store import CostStore
from functions.costs.trust.billed import Amount, Key, beside, charged, read_invoice
from functions.costs.trust.by_day import Days
from functions.costs.trust.ledger import LedgerEvents
from shared.limits import COST_HOURS_DAYS_MAX, REQUEST_BYTES_MAX
from shared.store import mapped


class Trust:
    """What a provider billed beside what the events say."""

    def __init__(self, store: CostStore, door: Door, ledger: LedgerEvents) -> None:
        self._store = store
        self._door = door
        self._ledger = ledger

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [Route("/v1/invoices", self.take, methods=["POST"]),
                Route("/v1/trust", self.compare, methods=["GET"]),
                Route("/v1/trust/days", self.days, methods=["GET"])]

    async def take(self, request: Request) -> Response:
        """`POST /v1/invoices`: keep an invoice; a line sent again replaces the one before."""
        tenant = self._door.visitor(request).tenant
        body = await body_of(request, REQUEST_BYTES_MAX)
        lines = read_invoice(body, request.headers.get("content-type", ""))
        kept = {json.dumps(key): json.dumps([a.quantity, str(a.nano)]) for key, a in lines.items()}
        with mapped():
            await self._store.redis.hset(keys.of(tenant, "invoices"), mapping=kept)
        return JSONResponse({"tenant": tenant, "lines": len(lines),
                             "days": sorted({key.day for key in lines})}, 201)

    async def compare(self, request: Request) -> Response:
        """`GET /v1/trust?from=&to=&provider=`: day × model × token class, both figures."""
        tenant = self._door.visitor(request).tenant
        span, provider = _span(request), request.query_params.get("provider")
        events = await while_wanted(request, self._charged(tenant, span))
        invoice = await self._invoice(tenant, span)
        rows = [row for row in beside(events, invoice)
                if provider is None or row["provider"] == provider]
        return JSONResponse({"tenant": tenant, "rows": rows,
                             "agrees": all(row["agrees"] is not False for row in rows)})

    async def days(self, request: Request) -> Response:
        """`GET /v1/trust/days?from=&to=`: what the ledger posted to each day beside its events."""
        tenant, span = self._door.visitor(request).tenant, _span(request)
        ends = (span.start_ms or 0, (span.end_ms or 1) - 1)  # `_span` refuses what lacks one
        first, last = (date.fromisoformat(day_of(at)) for at in ends)
        comparing = Days(self._store, self._ledger, tenant, self._door.key_of(request))
        return JSONResponse(await while_wanted(request, comparing.report(first, last)))

    async def _charged(self, tenant: str, span: Span) -> dict[Key, Amount]:
        found: dict[Key, Amount] = {}
        async for charges in charges_of(self._store, tenant, span):
            async for rows in rows_of(charges):
                for key, amount in charged(rows).items():
                    found[key] = amount.plus(found.get(key, Amount()))
        return found

    async def _invoice(self, tenant: str, span: Span) -> dict[Key, Amount]:
        with mapped():
            kept: dict[str, Any] = await self._store.redis.hgetall(keys.of(tenant, "invoices"))
        found = {Key(*json.loads(key)): json.loads(text) for key, text in kept.items()}
        return {key: Amount(quantity, Decimal(nano)) for key, (quantity, nano) in found.items()
                if span.touches(key.day)}


def _span(request: Request) -> Span:
    faults: list[dict[str, str]] = []
    span = read_span(request.query_params, faults)
    if not faults and (span.start_ms is None or span.end_ms is None
                       or span.end_ms - span.start_ms > COST_HOURS_DAYS_MAX * DAY_MS):
        faults.append(fault("from", f"give from and to, at most {COST_HOURS_DAYS_MAX} days apart: "
                                    "every event between them is read"))
    refuse(faults)
    return span
