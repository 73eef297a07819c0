"""The pages for people: what happens now, what was spent, how well, and whether it is true.

They work without JavaScript, which adds charts and keeps them live; nothing comes from elsewhere.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from eventing.adapter import body_of
from functions.costs.pages import assets, view
from functions.costs.pages.efficiency import efficiency
from functions.costs.pages.now import now
from functions.costs.pages.periods import presets
from functions.costs.pages.shown import Shown
from functions.costs.pages.spend import spend
from functions.costs.pages.task import task
from functions.costs.pages.trust import trust
from functions.costs.pages.visit import Visit
from functions.costs.routes.api import Api
from functions.costs.routes.door import COOKIE, Door, forget, remember
from functions.costs.routes.trust import Trust
from functions.costs.routes.views import Views
from functions.costs.store.store import CostStore
from functions.costs.trust import gaps
from functions.costs.trust.ledger import LedgerEvents
from shared.auth import Caller
from shared.errors import NotFound, Permanent, TollgateError, Unauthorized
from shared.limits import REQUEST_BYTES_MAX

FORM_BYTES_MAX = 4_096
INVOICE_BYTES_MAX = 3 * REQUEST_BYTES_MAX
"""A form's, which writes commas and line ends as three signs: what the API takes fits."""

THEME = "tollgate_theme"
THEMES = ("light", "dark")
YEAR_S = 31_536_000
GUARDS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
                               "img-src 'self' data:; connect-src 'self'; form-action 'self'; "
                               "base-uri 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer", "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
"""Keeps a key in an address from leaking, and anything injected from running."""

Page = Callable[[Request, Caller], Awaitable[Response]]
VIEWS: Mapping[str, Callable[[Visit], Awaitable[Shown]]] = {
    "now": now, "spend": spend, "efficiency": efficiency, "trust": trust,
    "task": task,
}
NAV = (("/", "Now"), ("/spend", "Spend"), ("/efficiency", "Efficiency"), ("/trust", "Trust"))
FORMS = {"now": "fill.html", "trust": "invoice.html"}
"""What a page has beside figures."""


class Pages:
    """What a browser asks; everything is about the key's own tenant."""

    def __init__(self, store: CostStore, door: Door, ledger: LedgerEvents, *,
                 trace_url: str | None = None) -> None:
        self._store = store
        self._door = door
        self._ledger = ledger
        self._trace_url = trace_url
        api = (*Api(store, door, ledger).routes(), *Views(store, door, ledger).routes(),
               *Trust(store, door, ledger).routes())
        self._api = {(route.path, method): route.endpoint for route in api
                     for method in route.methods or ()}

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/", self._guarded(self.page), methods=["GET"]),
            *(Route(f"/{name}", self._guarded(self.page), methods=["GET"])
              for name in VIEWS if name not in ("now", "task")),
            Route("/tasks/{task}", self._guarded(self.page), methods=["GET"]),
            Route("/csv/{page}/{table}", self._guarded(self.csv), methods=["GET"]),
            Route("/gaps/fill", self._guarded(self.fill), methods=["POST"]),
            Route("/trust/invoice", self._guarded(self.invoice), methods=["POST"]),
            Route("/login", self.login, methods=["POST"]),
            Route("/logout", self.logout, methods=["POST"]),
            Route("/theme", theme, methods=["POST"]),
            Route("/assets/{tag}/{name}", assets.served, methods=["GET"]),
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
            form = await _form(request)
            key = form.get("key", "").strip()
            self._door.admits(key)
            return remember(_to(_local(form.get("next", "/"))), key, secure=_is_secure(request))
        except TollgateError as error:
            return _failed(request, error)

    async def logout(self, _: Request) -> Response:
        """Make the browser forget the key."""
        return forget(_to("/"))

    async def page(self, request: Request, caller: Caller) -> Response:
        """Show a page."""
        visit = self._visit(request, caller)
        events = (await self._store.counts(caller.tenant))["events"]  # at least these are shown
        shown = await VIEWS[_name(request)](visit)
        return _page("figures.html", request, tenant=caller.tenant, shown=shown, visit=visit,
                     events=events, none=None, still=shown.more.get("still", False), forms=FORMS,
                     csv=_csv_of(shown, visit), presets=_presets(visit, request.url.path))

    async def csv(self, request: Request, caller: Caller) -> Response:
        """Return one of a page's tables as CSV."""
        page, name = request.path_params["page"], request.path_params["table"]
        if page not in VIEWS:
            raise NotFound(f"no page {page!r}; there are {', '.join(VIEWS)}")
        table = (await VIEWS[page](self._visit(request, caller))).table(name)
        return Response(table.csv(), media_type="text/csv; charset=utf-8", headers={
            **GUARDS, "content-disposition": f'attachment; filename="{page}-{table.name}.csv"'})

    async def fill(self, request: Request, caller: Caller) -> Response:
        """Ask the ledger for what is missing, then show the page again."""
        await gaps.fill(self._store, self._ledger, caller.tenant,
                        self._door.key_of(request))
        return _to("/")

    async def invoice(self, request: Request, _: Caller) -> Response:
        """Take a provider's invoice from the form, then show it beside the events."""
        text = (await _form(request, INVOICE_BYTES_MAX)).get("invoice", "").strip()
        if not text:
            raise Permanent("invoice: there is nothing in it")
        taken = await self._api["/v1/invoices", "POST"](
            self._inner(request, "/v1/invoices", body=text.encode()))
        days = [date.fromisoformat(day) for day in json.loads(bytes(taken.body))["days"]]
        return _to("/trust", [("from", min(days).isoformat()), ("compare", "1"),
                              ("to", (max(days) + timedelta(1)).isoformat())])

    def _visit(self, request: Request, caller: Caller) -> Visit:
        asked = {k: v for k, v in request.query_params.items() if v or k not in ("from", "to")}
        if "task" in request.path_params:
            asked["task"] = request.path_params["task"]
        return Visit(self._store, caller.tenant, asked, datetime.now(UTC), self._asking(request),
                     self._trace_url)

    def _asking(self, request: Request) -> Callable[[str, Mapping[str, str]], Awaitable[Any]]:
        """Return what asks our own API in this process, with the visitor's own credential."""
        tenant = {k: v for k, v in request.query_params.items() if k == "tenant"}

        async def answer(path: str, asked: Mapping[str, str]) -> Any:
            inner = self._inner(request, path, urlencode({**tenant, **asked}))
            return json.loads(bytes((await self._api[path, "GET"](inner)).body))

        return answer

    def _inner(self, request: Request, path: str, query: str = "", body: bytes = b"") -> Request:
        """Return a request to our own API with the visitor's credential."""
        told = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive() -> Any:
            return next(told, None) or await request.receive()  # that the visitor leaves

        headers = [(b"authorization", self._door.key_of(request).encode()),
                   (b"content-type", b"application/json" if body[:1] in b"[{" else b"text/csv")]
        return Request({**request.scope, "method": "POST" if body else "GET", "path": path,
                        "query_string": query.encode(), "headers": headers}, receive)


async def theme(request: Request) -> Response:
    """Remember light or dark colours, and show the same page again."""
    form = await _form(request)
    wanted, answer = form.get("theme", ""), _to(_local(form.get("next", "/")))
    if wanted in THEMES:
        answer.set_cookie(THEME, wanted, max_age=YEAR_S, samesite="strict", httponly=True,
                          secure=_is_secure(request), path="/")
    return answer


async def _form(request: Request, bytes_max: int = FORM_BYTES_MAX) -> dict[str, str]:
    text = (await body_of(request, bytes_max)).decode("utf-8", "replace")
    return {name: values[0] for name, values in parse_qs(text).items()}


def _name(request: Request) -> str:
    if "task" in request.path_params:
        return "task"
    return request.url.path.strip("/") or "now"


def _csv_of(shown: Shown, visit: Visit) -> Callable[[str], str]:
    return lambda table: visit.href(f"/csv/{shown.name}/{table}")


def _presets(visit: Visit, path: str) -> list[tuple[str, str, bool]]:
    kept = {k: v for k, v in visit.asked.items() if k not in ("from", "to", "all")}
    current = visit.period.parameters or {"all": "1"}
    return [(title, f"{path}?{urlencode(kept | asked)}", asked == current)
            for title, asked in presets(visit.today)]


def _page(template: str, request: Request, *, status: int = 200, **values: Any) -> Response:
    chosen = request.cookies.get(THEME)
    text = view.render(template, theme=chosen if chosen in THEMES else None, nav=NAV,
                       here=request.url.path, address=_address(request), **values)
    return HTMLResponse(text, status_code=status, headers=GUARDS)


def _address(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _failed(request: Request, error: TollgateError) -> Response:
    if isinstance(error, Unauthorized):
        tried = request.method == "POST" or "key" in request.query_params or \
            COOKIE in request.cookies
        return _page("login.html", request, status=401, tenant=None, wrong=tried,
                     next=_local(_address(request)))
    return _page("error.html", request, status=error.status, tenant=None, error=error)


def _to(path: str, query: list[tuple[str, str]] | None = None) -> Response:
    return RedirectResponse(path + (f"?{urlencode(query)}" if query else ""), status_code=303,
                            headers=GUARDS)


def _local(address: str) -> str:
    """Return the address if it is a page of ours: no link to elsewhere follows a form."""
    path = address.partition("?")[0]
    ours = path.startswith("/tasks/") or path.removeprefix("/") in VIEWS
    return address if ours else "/"


def _is_secure(request: Request) -> bool:
    return request.headers.get("x-forwarded-proto", request.url.scheme) == "https"
