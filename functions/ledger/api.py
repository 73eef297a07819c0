"""The ledger's HTTP routes: who asks, in which form, and which method answers."""

import json
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from eventing.http import encode_structured
from functions.ledger.api_budgets import budget_routes, read
from functions.ledger.api_stops import stop_routes
from functions.ledger.cost import most
from functions.ledger.metrics import metric_route
from functions.ledger.parts import Parts
from functions.ledger.reports import DAYS_KEPT
from functions.ledger.requests import (
    BatchBody,
    CallBody,
    ExtendBody,
    HolderBody,
    PostBody,
    QuoteBody,
    ReserveBody,
    SettleBody,
)
from shared.errors import Permanent, TollgateError
from shared.limits import EVENTS_PAGE_MAX

Endpoint = Callable[[Request], Awaitable[Response]]


def routes(parts: Parts) -> list[Route]:
    """Return every route of the ledger."""
    spending, reading = _Spending(parts), _Reading(parts)
    one = "/v1/reservations/{id}"
    table: list[tuple[str, str, Endpoint]] = [
        ("POST", f"{one}/settle", spending.settle),
        ("POST", "/v1/reservations", spending.reserve),
        ("POST", "/v1/reservations:batch", spending.reserve_each),
        ("POST", f"{one}/dispatch", spending.dispatch),
        ("POST", f"{one}/extend", spending.extend),
        ("POST", f"{one}/resolve", spending.resolve),
        ("POST", f"{one}/void", spending.void),
        ("POST", "/v1/postings", spending.post),
        ("POST", "/v1/quotes", reading.quote),
        ("POST", "/sweep", reading.sweep),
        ("GET", one, reading.reservation),
        ("GET", "/v1/events", reading.events),
        ("GET", "/v1/usage", reading.usage),
        ("GET", "/v1/summary", reading.summary),
        ("GET", "/v1/days", reading.days),
    ]
    metrics = metric_route(parts.reservations.store, parts.switch, parts.tally)
    # The first match answers: what is called most comes first.
    return [*(Route(path, endpoint, methods=[method]) for method, path, endpoint in table),
            *budget_routes(parts), *stop_routes(parts), metrics]


class _Spending:
    """Everything that moves money: by grant."""

    def __init__(self, parts: Parts) -> None:
        self._of = parts

    def _answer(self, tenant: str, found: dict[str, Any], status: int = 200) -> Response:
        self._of.background.wrote(tenant)
        return _json(found, status)

    async def reserve(self, request: Request) -> Response:
        """Hold money (POST /v1/reservations): 201, or 200 for a replay."""
        body = await read(request, ReserveBody)
        grant = self._of.door.grant(request, fresh=True, body=body.grant)
        with self._of.tally.watching(grant.tenant):
            found = await self._of.reservations.reserve(grant, body)
        return _json(found, 200 if found["replayed"] else 201)

    async def reserve_each(self, request: Request) -> Response:
        """Hold money for several calls of one task: 200 with an answer or a problem for each."""
        body = await read(request, BatchBody)
        grant = self._of.door.grant(request, fresh=True)
        found = await self._of.reservations.reserve_each(grant, body.reservations)
        for each in found:
            self._of.tally.count(grant.tenant, each)
        return _json({"reservations": [
            {"problem": _problem(each)} if isinstance(each, TollgateError) else each
            for each in found]})

    async def dispatch(self, request: Request) -> Response:
        """Give the permission to call, once."""
        tenant = self._of.door.grant(request).tenant
        body = await read(request, HolderBody)
        return _json(await self._of.reservations.dispatch(
            tenant, request.path_params["id"], body))

    async def extend(self, request: Request) -> Response:
        """Prolong the lease."""
        tenant = self._of.door.grant(request).tenant
        body = await read(request, ExtendBody)
        return _json(await self._of.reservations.extend(
            tenant, request.path_params["id"], body))

    async def settle(self, request: Request) -> Response:
        """Post the true cost."""
        tenant = self._of.door.grant(request).tenant
        body = await read(request, SettleBody)
        return self._answer(tenant, await self._of.endings.settle(
            tenant, request.path_params["id"], body))

    async def resolve(self, request: Request) -> Response:
        """End a reservation whose outcome is unknown."""
        return await self._end(request, "resolve")

    async def void(self, request: Request) -> Response:
        """End a reservation at no cost."""
        return await self._end(request, "void")

    async def _end(self, request: Request, how: str) -> Response:
        tenant = self._of.door.grant(request).tenant
        body = await read(request, HolderBody)
        return self._answer(tenant, await self._of.endings.end(
            tenant, request.path_params["id"], how, body.holder))

    async def post(self, request: Request) -> Response:
        """Charge a finished call that was not reserved."""
        body = await read(request, PostBody)
        grant = self._of.door.grant(request, body=body.grant)
        return self._answer(grant.tenant, await self._of.endings.post(grant, body))


class _Reading:
    """Reads, budgets, and the timer."""

    def __init__(self, parts: Parts) -> None:
        self._of = parts

    async def reservation(self, request: Request) -> Response:
        """Return a reservation's state."""
        tenant = self._of.door.reader(request)
        return _json(await self._of.reservations.read(tenant, request.path_params["id"]))

    async def usage(self, request: Request) -> Response:
        """Return what a task spent and holds."""
        task = request.query_params.get("task")
        if not task:
            raise Permanent("name the task: /v1/usage?task=<id>")
        return _json(await self._of.reports.task(self._of.door.reader(request), task))

    async def summary(self, request: Request) -> Response:
        """Return a tenant's totals."""
        return _json(await self._of.reports.summary(self._of.door.reader(request)))

    async def days(self, request: Request) -> Response:
        """Return a tenant's totals by day: `?from=&to=`, both included."""
        tenant = self._of.door.reader(request)
        first, last = _day(request, "from"), _day(request, "to")
        if not 0 <= (last - first).days < DAYS_KEPT:
            raise Permanent(f"from {first} to {last} are not 1 to {DAYS_KEPT} days")
        return _json(await self._of.reports.days(tenant, first, last))

    async def events(self, request: Request) -> Response:
        """Return events by number, as structured CloudEvents, at most one page."""
        tenant = self._of.door.keyed(request, "costs")
        epoch = request.query_params.get("epoch") or (
            await self._of.reports.summary(tenant))["epoch"]
        first = _number(request, "from", 1)
        last = min(_number(request, "to", first + EVENTS_PAGE_MAX), first + EVENTS_PAGE_MAX - 1)
        if not str(epoch).isdecimal():
            raise Permanent(f"epoch {epoch!r} is no number")
        found = await self._of.outbox.range(tenant, epoch, first, last)
        documents = [json.loads(encode_structured(event)[1]) for event in found]
        return _json({"epoch": epoch, "from": first, "to": last, "events": documents})

    async def quote(self, request: Request) -> Response:
        """Return the most a call can cost, without holding it."""
        tenant = self._of.door.reader(request)
        body = await read(request, QuoteBody)
        rates = await self._of.reservations.rates(tenant, CallBody.model_construct(**dict(body)))
        priced = most(rates, body.input_tokens_max, body.output_tokens_max)
        return _json({
            "reserve_nano": priced.total_nano, "rounding_nano": priced.rounding_nano,
            "lines": list(priced.lines), "price_version": rates.version})

    async def sweep(self, _: Request) -> Response:
        """End overdue leases and publish what waits; anybody inside may ask, it is idempotent."""
        return _json(await self._of.background.sweep())


def _json(found: Any, status: int = 200) -> Response:
    return Response(to_json(found), status, media_type="application/json")


def _problem(error: TollgateError) -> dict[str, Any]:
    """Return an error as its own answer would say it (RFC 9457)."""
    return {**error.extra, "title": error.title, "status": error.status, "detail": error.detail}


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not text.isdecimal():
        raise Permanent(f"{name}={text!r} is no whole number")
    return int(text)


def _day(request: Request, name: str) -> date:
    text = request.query_params.get(name, "")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Permanent(f"{name}={text!r} is no day such as 2026-11-21") from error
