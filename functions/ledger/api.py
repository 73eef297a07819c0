"""The ledger's HTTP routes: who asks, in which form, and which method answers."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, SecretStr
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from eventing.adapter import body_of
from eventing.http import encode_structured
from functions.ledger.background import Background
from functions.ledger.budgets import Budgets
from functions.ledger.cost import most
from functions.ledger.finishing import Endings
from functions.ledger.limits import Scope
from functions.ledger.outbox import Outbox
from functions.ledger.reports import Reports
from functions.ledger.requests import (
    AdjustBody,
    BudgetBody,
    CallBody,
    ExtendBody,
    HolderBody,
    PostBody,
    QuoteBody,
    ReserveBody,
    SettleBody,
)
from functions.ledger.reserving import Reservations
from functions.ledger.windows import TTL_S, Window
from shared.auth import ApiKeys, Grant, Right, verify
from shared.clock import Clock, now_s
from shared.errors import Permanent, Unauthorized
from shared.limits import EVENTS_PAGE_MAX
from shared.metering.client import GRANT_HEADER

B = TypeVar("B", bound=BaseModel)
Endpoint = Callable[[Request], Awaitable[Response]]
SCOPES = ("tenant", "agent", "session", "model", "tool")
GRANTS_MAX = 1024
"""Verified grants remembered; a task's calls all bring the same one."""


class Door:
    """Tells who asks: a grant spends, an API key reads and sets."""

    def __init__(self, key: SecretStr, api_keys: ApiKeys, clock: Clock = now_s) -> None:
        self._key, self._api_keys, self._clock = key, api_keys, clock
        self._known: dict[str, Grant] = {}

    def grant(self, request: Request, *, fresh: bool = False, body: str | None = None) -> Grant:
        """Return the grant of the request; its expiry counts only where money is reserved.

        Raises:
            Unauthorized: none, forged, or (`fresh`) over.
        """
        token = request.headers.get(GRANT_HEADER) or body or ""
        grant = self._known.get(token)
        if grant is None:
            grant = verify(token, self._key)
            if len(self._known) >= GRANTS_MAX:
                self._known.clear()
            self._known[token] = grant
        if fresh and grant.exp < self._clock():
            raise Unauthorized(f"the grant expired at {grant.exp}: submit the task again")
        return grant

    def keyed(self, request: Request, right: Right) -> str:
        """Return the tenant of the request's API key.

        Raises:
            Unauthorized: no key or an unknown one. Forbidden: it lacks the right.
        """
        caller = self._api_keys.caller(request.headers.get("authorization"))
        caller.allow(right)
        return caller.tenant

    def reader(self, request: Request) -> str:
        """Return the tenant of the request's grant, or of its API key with the right `costs`."""
        if GRANT_HEADER in request.headers:
            return self.grant(request).tenant
        return self.keyed(request, "costs")


@dataclass(frozen=True, slots=True)
class Parts:
    """What answers."""

    door: Door
    reservations: Reservations
    endings: Endings
    budgets: Budgets
    reports: Reports
    outbox: Outbox
    background: Background


def routes(parts: Parts) -> list[Route]:
    """Return every route of the ledger."""
    spending, reading = _Spending(parts), _Reading(parts)
    one = "/v1/reservations/{id}"
    budget = "/v1/budgets/{scope}/{owner:path}"
    table: list[tuple[str, str, Endpoint]] = [
        ("POST", "/v1/reservations", spending.reserve),
        ("POST", f"{one}/settle", spending.settle),
        ("POST", f"{one}/dispatch", spending.dispatch),
        ("POST", f"{one}/extend", spending.extend),
        ("POST", f"{one}/resolve", spending.resolve),
        ("POST", f"{one}/void", spending.void),
        ("POST", f"{one}/adjustments", spending.adjust),
        ("POST", "/v1/postings", spending.post),
        ("POST", "/v1/quotes", reading.quote),
        ("POST", "/sweep", reading.sweep),
        ("GET", one, reading.reservation),
        ("GET", "/v1/events", reading.events),
        ("GET", "/v1/usage", reading.usage),
        ("GET", "/v1/summary", reading.summary),
        ("GET", "/v1/budgets/{scope}/{owner:path}/usage", reading.budget_usage),
        ("GET", budget, reading.budget),
        ("PUT", budget, reading.set_budget),
        ("DELETE", budget, reading.remove_budget),
    ]
    return [Route(path, endpoint, methods=[method]) for method, path, endpoint in table]


async def _read(request: Request, model: type[B]) -> B:
    return model.model_validate_json(await body_of(request) or b"{}")


class _Spending:
    """Everything that moves money: by grant, corrections by API key."""

    def __init__(self, parts: Parts) -> None:
        self._of = parts

    def _answer(self, tenant: str, found: dict[str, Any], status: int = 200) -> Response:
        self._of.background.wrote(tenant)
        return JSONResponse(found, status)

    async def reserve(self, request: Request) -> Response:
        """Hold money (POST /v1/reservations): 201, or 200 for a replay."""
        body = await _read(request, ReserveBody)
        grant = self._of.door.grant(request, fresh=True, body=body.grant)
        found = await self._of.reservations.reserve(grant, body)
        return JSONResponse(found, 200 if found["replayed"] else 201)

    async def dispatch(self, request: Request) -> Response:
        """Give the permission to call, once."""
        tenant = self._of.door.grant(request).tenant
        body = await _read(request, HolderBody)
        return JSONResponse(await self._of.reservations.dispatch(
            tenant, request.path_params["id"], body))

    async def extend(self, request: Request) -> Response:
        """Prolong the lease."""
        tenant = self._of.door.grant(request).tenant
        body = await _read(request, ExtendBody)
        return JSONResponse(await self._of.reservations.extend(
            tenant, request.path_params["id"], body))

    async def settle(self, request: Request) -> Response:
        """Post the true cost."""
        tenant = self._of.door.grant(request).tenant
        body = await _read(request, SettleBody)
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
        body = await _read(request, HolderBody)
        return self._answer(tenant, await self._of.endings.end(
            tenant, request.path_params["id"], how, body.holder))

    async def adjust(self, request: Request) -> Response:
        """Correct a cost."""
        tenant = self._of.door.keyed(request, "budgets")
        body = await _read(request, AdjustBody)
        return self._answer(tenant, await self._of.endings.adjust(
            tenant, request.path_params["id"], body))

    async def post(self, request: Request) -> Response:
        """Charge a finished call that was not reserved."""
        body = await _read(request, PostBody)
        grant = self._of.door.grant(request, body=body.grant)
        return self._answer(grant.tenant, await self._of.endings.post(grant, body))


class _Reading:
    """Reads, budgets, and the timer."""

    def __init__(self, parts: Parts) -> None:
        self._of = parts

    async def reservation(self, request: Request) -> Response:
        """Return a reservation's state."""
        tenant = self._of.door.reader(request)
        return JSONResponse(await self._of.reservations.read(tenant, request.path_params["id"]))

    async def usage(self, request: Request) -> Response:
        """Return what a task spent and holds."""
        task = request.query_params.get("task")
        if not task:
            raise Permanent("name the task: /v1/usage?task=<id>")
        return JSONResponse(await self._of.reports.task(self._of.door.reader(request), task))

    async def summary(self, request: Request) -> Response:
        """Return a tenant's totals."""
        return JSONResponse(await self._of.reports.summary(self._of.door.reader(request)))

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
        return JSONResponse({"epoch": epoch, "from": first, "to": last, "events": documents})

    async def quote(self, request: Request) -> Response:
        """Return the most a call can cost, without holding it."""
        self._of.door.reader(request)
        body = await _read(request, QuoteBody)
        rates = self._of.reservations.rates(CallBody.model_construct(**dict(body)))
        priced = most(rates, body.input_tokens_max, body.output_tokens_max)
        return JSONResponse({
            "reserve_nano": priced.total_nano, "rounding_nano": priced.rounding_nano,
            "lines": list(priced.lines), "price_version": rates.version})

    async def sweep(self, _: Request) -> Response:
        """End overdue leases and publish what waits; anybody inside may ask, it is idempotent."""
        return JSONResponse(await self._of.background.sweep())

    async def budget(self, request: Request) -> Response:
        """Return an owner's limits."""
        tenant = self._of.door.keyed(request, "budgets")
        return JSONResponse(await self._of.budgets.get(tenant, *_owner(request)))

    async def budget_usage(self, request: Request) -> Response:
        """Return an account's balance."""
        tenant = self._of.door.keyed(request, "budgets")
        window = _window(request)
        return JSONResponse(await self._of.budgets.usage(tenant, *_owner(request), window))

    async def set_budget(self, request: Request) -> Response:
        """Set one limit."""
        tenant = self._of.door.keyed(request, "budgets")
        scope, owner = _owner(request)
        body = await _read(request, BudgetBody)
        return JSONResponse(await self._of.budgets.put(tenant, scope, owner, body))

    async def remove_budget(self, request: Request) -> Response:
        """Remove one limit: `?unit=&window=&revision=`."""
        tenant = self._of.door.keyed(request, "budgets")
        body = BudgetBody.model_validate({"limit": 0, **request.query_params})
        await self._of.budgets.delete(tenant, *_owner(request), body)
        return Response(status_code=204)


def _owner(request: Request) -> tuple[Scope, str]:
    scope, owner = request.path_params["scope"], request.path_params["owner"]
    if scope not in SCOPES:
        raise Permanent(f"scope {scope!r}: one of {', '.join(SCOPES)}")
    return scope, owner


def _window(request: Request) -> Window:
    window: Any = request.query_params.get("window", "life")
    if window not in TTL_S:
        raise Permanent(f"window {window!r}: one of {', '.join(TTL_S)}")
    return window  # type: ignore[no-any-return]


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not text.isdecimal():
        raise Permanent(f"{name}={text!r} is no whole number")
    return int(text)
