"""The pages for people: totals, a task's steps over time, denied calls, the gap check.

They work without JavaScript and load nothing from elsewhere.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from eventing.adapter import body_of
from functions.costs import gaps, view
from functions.costs.api import known_task
from functions.costs.door import COOKIE, Door, forget, remember
from functions.costs.facts import read
from functions.costs.gaps import LedgerEvents
from functions.costs.report import Row, ask, total
from functions.costs.store import CostStore
from functions.costs.timeline import denial, timeline
from shared.auth import Caller
from shared.errors import Permanent, TollgateError, Unauthorized

TASKS_SHOWN = 20
DENIALS_SHOWN = 50
FORM_BYTES_MAX = 4_096
GUARDS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; "
                               "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer", "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
"""Keeps a key in an address from leaking, and anything injected from running."""

Page = Callable[[Request, Caller], Awaitable[Response]]


class Pages:
    """What a browser asks; everything is about the key's own tenant."""

    def __init__(self, store: CostStore, door: Door, ledger: LedgerEvents) -> None:
        self._store = store
        self._door = door
        self._ledger = ledger

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/", self._guarded(self.dashboard), methods=["GET"]),
            Route("/tasks/{task}", self._guarded(self.task), methods=["GET"]),
            Route("/gaps/fill", self._guarded(self.fill), methods=["POST"]),
            Route("/login", self.login, methods=["POST"]),
            Route("/logout", self.logout, methods=["POST"]),
            Route("/style.css", style, methods=["GET"]),
        ]

    def _guarded(self, page: Page) -> Callable[[Request], Awaitable[Response]]:
        async def shown(request: Request) -> Response:
            try:
                if "key" in request.query_params:
                    return self._admitted(request)
                return await page(request, self._door.visitor(request))
            except TollgateError as error:
                return _failed(request, error)

        return shown

    def _admitted(self, request: Request) -> Response:
        key = request.query_params["key"]
        self._door.admits(key)
        rest = [(k, v) for k, v in request.query_params.multi_items() if k != "key"]
        return remember(_to(request.url.path, rest), key, secure=_is_secure(request))

    async def login(self, request: Request) -> Response:
        """Take the key from the form: it never stands in an address."""
        try:
            form = parse_qs((await body_of(request, FORM_BYTES_MAX)).decode("utf-8", "replace"))
            key = form.get("key", [""])[0].strip()
            self._door.admits(key)
            return remember(_to(_local(form.get("next", ["/"])[0])), key,
                            secure=_is_secure(request))
        except TollgateError as error:
            return _failed(request, error)

    async def logout(self, _: Request) -> Response:
        """Make the browser forget the key."""
        return forget(_to("/"))

    async def dashboard(self, request: Request, caller: Caller) -> Response:
        """Show sums of a span, and the latest tasks, denials and the gap check of all time."""
        asked = {k: v for k, v in request.query_params.items() if k in ("from", "to") and v}
        fault, rows = await self._rows(caller.tenant, asked)
        return _page("dashboard.html", status=422 if fault else 200, tenant=caller.tenant,
                     asked=asked, fault=fault, sums=total(rows), tables=view.tables(rows),
                     **await self._latest(caller.tenant))

    async def _rows(self, tenant: str, asked: dict[str, str]) -> tuple[str, list[Row]]:
        try:
            question = ask({**asked, "group_by": "agent,tool,model"})
            return "", await self._store.rows(tenant, question)
        except Permanent as error:
            return error.detail, []

    async def _latest(self, tenant: str) -> dict[str, Any]:
        names = await self._store.latest_tasks(tenant, TASKS_SHOWN)
        lines = [timeline(name, await self._store.of_task(tenant, name)) for name in names]
        denied = await self._store.latest(tenant, "denied", DENIALS_SHOWN)
        return {"tasks": view.tasks(names, lines), "check": await gaps.report(self._store, tenant),
                "denials": [denial(read(event), event) for event in denied]}

    async def task(self, request: Request, caller: Caller) -> Response:
        """Show one task's steps over time."""
        name = request.path_params["task"]
        line = timeline(name, await known_task(self._store, caller.tenant, name))
        return _page("task.html", tenant=caller.tenant, line=line, width=view.CHART_WIDTH,
                     bars=view.bars(line["invocations"]))

    async def fill(self, request: Request, caller: Caller) -> Response:
        """Ask the ledger for what is missing, then show the page again."""
        key = request.cookies.get(COOKIE, "")
        given = request.headers.get("authorization") or f"Bearer {key}"
        await gaps.fill(self._store, self._ledger, caller.tenant, given)
        return _to("/")


async def style(_: Request) -> Response:
    """Return the style sheet."""
    return Response(view.style(), media_type="text/css",
                    headers={"cache-control": "max-age=3600", "x-content-type-options": "nosniff"})


def _page(template: str, *, status: int = 200, **values: Any) -> Response:
    return HTMLResponse(view.render(template, **values), status_code=status, headers=GUARDS)


def _failed(request: Request, error: TollgateError) -> Response:
    if isinstance(error, Unauthorized):
        tried = request.method == "POST" or "key" in request.query_params or \
            COOKIE in request.cookies
        return _page("login.html", status=401, tenant=None, wrong=tried,
                     next=_local(request.url.path))
    return _page("error.html", status=error.status, tenant=None, error=error)


def _to(path: str, query: list[tuple[str, str]] | None = None) -> Response:
    return RedirectResponse(path + (f"?{urlencode(query)}" if query else ""), status_code=303,
                            headers=GUARDS)


def _local(path: str) -> str:
    """Return the path if it is a page of ours: a link to elsewhere must not follow a login."""
    return path if path == "/" or path.startswith("/tasks/") else "/"


def _is_secure(request: Request) -> bool:
    return request.headers.get("x-forwarded-proto", request.url.scheme) == "https"
