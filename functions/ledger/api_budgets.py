"""The routes of those who set and correct money: all by API key."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from eventing.adapter import body_of
from functions.ledger.budget_changes import Wanted
from functions.ledger.limits import Scope
from functions.ledger.parts import Parts
from functions.ledger.requests import AdjustBody, ApplyBody, BudgetBody, RerateBody
from functions.ledger.windows import TTL_S, Window
from shared.auth import Caller
from shared.clock import now_s
from shared.errors import Forbidden, Permanent

B = TypeVar("B", bound=BaseModel)
Endpoint = Callable[[Request], Awaitable[Response]]
SCOPES = ("tenant", "agent", "session", "model", "tool")


def budget_routes(parts: Parts) -> list[Route]:
    """Return the routes of budgets, corrections and re-rating."""
    of = _Budgeting(parts)
    budget = "/v1/budgets/{scope}/{owner:path}"
    table: list[tuple[str, str, Endpoint]] = [
        ("POST", "/v1/budgets:apply", of.apply),
        ("GET", "/v1/budgets", of.budgets),
        ("POST", "/v1/rerates", of.rerate),
        ("GET", "/v1/caps", of.caps),
        ("POST", "/v1/reservations/{id}/adjustments", of.adjust),
        ("GET", f"{budget}/usage", of.budget_usage),
        ("GET", budget, of.budget),
        ("PUT", budget, of.set_budget),
        ("DELETE", budget, of.remove_budget),
    ]
    return [Route(path, endpoint, methods=[method]) for method, path, endpoint in table]


async def read(request: Request, model: type[B]) -> B:
    """Return the request's body; an empty one is `{}`."""
    return model.model_validate_json(await body_of(request) or b"{}")


class _Budgeting:
    """Budgets, corrections, re-rating."""

    def __init__(self, parts: Parts) -> None:
        self._of = parts

    async def apply(self, request: Request) -> Response:
        """Apply a budget file: what changes, and warnings; with `dry_run` nothing does."""
        from functions.ledger.budget_file import read as read_file  # rare, and slow to import

        caller = self._of.door.caller(request, "budgets")
        body = await read(request, ApplyBody)
        wanted = read_file(body.text)
        _refuse_others(caller, wanted)
        return JSONResponse(await self._of.files.apply(wanted, dry_run=body.dry_run))

    async def caps(self, request: Request) -> Response:
        """Return every cap over tenants, and what they took of its current window."""
        self._of.door.caller(request, "platform")
        return JSONResponse({"caps": await self._of.files.caps()})

    async def rerate(self, request: Request) -> Response:
        """Price a page of a period again."""
        tenant = self._of.door.keyed(request, "budgets")
        body = await read(request, RerateBody)
        found = await self._of.rerates.page(tenant, body, now_s())
        self._of.background.wrote(tenant)
        return JSONResponse(found)

    async def adjust(self, request: Request) -> Response:
        """Correct a cost."""
        tenant = self._of.door.keyed(request, "budgets")
        body = await read(request, AdjustBody)
        found = await self._of.endings.adjust(tenant, request.path_params["id"], body)
        self._of.background.wrote(tenant)
        return JSONResponse(found)

    async def budgets(self, request: Request) -> Response:
        """Return all of a tenant's limits with their balances; who sees costs may see them."""
        caller = self._of.door.caller(request, None)
        if not caller.rights & {"admin", "budgets", "costs"}:
            caller.allow("budgets")
        return JSONResponse(await self._of.budgets.every(caller.tenant))

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
        """Set one limit; `warnings` say that it may match nothing."""
        tenant = self._of.door.keyed(request, "budgets")
        scope, owner = _owner(request)
        body = await read(request, BudgetBody)
        found = await self._of.budgets.put(tenant, scope, owner, body)
        doubts = await self._of.files.doubts(tenant, scope, owner)
        return JSONResponse({**found, "warnings": doubts})

    async def remove_budget(self, request: Request) -> Response:
        """Remove one limit: `?unit=&window=&revision=`."""
        tenant = self._of.door.keyed(request, "budgets")
        body = BudgetBody.model_validate({"limit": 0, **request.query_params})
        await self._of.budgets.delete(tenant, *_owner(request), body)
        return Response(status_code=204)


def _refuse_others(caller: Caller, wanted: Wanted) -> None:
    others = sorted(wanted.tenants.keys() - {caller.tenant})
    if (others or wanted.caps) and "platform" not in caller.rights:
        what = f"tenant {others[0]}" if others else "caps over tenants"
        raise Forbidden(f"this key is tenant {caller.tenant}'s: {what} needs the right 'platform'")


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
