"""The HTTP API of costs: sums, timelines, events, denials, gaps."""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from eventing.event import Event
from eventing.http import encode_structured
from functions.costs.events.facts import read
from functions.costs.events.timeline import denial, timeline
from functions.costs.questions.question import ask, read_limit, refuse
from functions.costs.questions.report import answer, grouped
from functions.costs.routes.door import EVERY_TENANT, Door
from functions.costs.routes.exports import ndjson
from functions.costs.routes.wanted import while_wanted
from functions.costs.store.ends import told
from functions.costs.store.store import CostStore
from functions.costs.sums.places import TooMany
from functions.costs.trust import gaps
from functions.costs.trust.ledger import LedgerEvents
from functions.costs.trust.reconciling import Reconciliation, span_of
from shared.errors import NotFound
from shared.limits import LIST_PAGE_MAX

LISTED = 50
"""Entries of a list, unless told otherwise."""


class Api:
    """What programs ask; everything is about the caller's own tenant."""

    def __init__(self, store: CostStore, door: Door, ledger: LedgerEvents) -> None:
        self._store = store
        self._door = door
        self._ledger = ledger

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/v1/costs", self.costs, methods=["GET"]),
            Route("/v1/costs/tasks/{task}", self.task, methods=["GET"]),
            Route("/v1/events", self.events, methods=["GET"]),
            Route("/v1/denials", self.denials, methods=["GET"]),
            Route("/v1/gaps", self.gaps, methods=["GET"]),
            Route("/v1/gaps/fill", self.fill, methods=["POST"]),
            Route("/v1/reconcile", self.reconcile, methods=["GET"]),
        ]

    async def costs(self, request: Request) -> Response:
        """`GET /v1/costs?group_by=&from=&to=`: rows that add up to the total exactly."""
        tenant = self._door.client(request, or_all=True).tenant
        question = ask(request.query_params)
        asked = await self._store.tenants() if tenant == EVERY_TENANT else [tenant]
        try:
            rows, whole = [row for each in asked
                           for row in await self._store.rows(each, question)], None
        except TooMany:
            if not question.ranked or tenant == EVERY_TENANT:
                raise
            rows, whole = await self._store.dearest_of_all(tenant, question)
        return JSONResponse(answer(tenant, question, grouped(question, rows), whole))

    async def task(self, request: Request) -> Response:
        """`GET /v1/costs/tasks/{task}`: its invocations by start, denials, corrections."""
        tenant, task = self._door.client(request).tenant, request.path_params["task"]
        line = timeline(task, await known_task(self._store, tenant, task))
        ends = await self._store.ends.of(tenant, [task])
        return JSONResponse({**line, **told(ends.get(task))})

    async def events(self, request: Request) -> Response:
        """`GET /v1/events?task=`: a task's events in their order; of `from` to `to`, NDJSON."""
        tenant = self._door.client(request).tenant
        task = request.query_params.get("task")
        if not task:
            return await ndjson(self._store, tenant, request)
        events = await known_task(self._store, tenant, task)
        return JSONResponse({"task": task, "events": [_structured(event) for event in events]})

    async def denials(self, request: Request) -> Response:
        """`GET /v1/denials?limit=`: denied calls, the newest first."""
        tenant = self._door.client(request).tenant
        if "group_by" in request.query_params:
            return await self._denied(tenant, request)
        events = await self._store.latest(tenant, "denied", limit_of(request))
        return JSONResponse({"denials": [denial(read(event), event) for event in events]})

    async def _denied(self, tenant: str, request: Request) -> Response:
        question = ask({"measures": "denials", "order": "-denials", **request.query_params,
                        "outcome": "denied"})
        rows = grouped(question, await self._store.rows(tenant, question))
        return JSONResponse(answer(tenant, question, rows))

    async def gaps(self, request: Request) -> Response:
        """`GET /v1/gaps`: whether any of the ledger's numbers is missing."""
        return JSONResponse(await gaps.report(self._store, self._door.client(request).tenant))

    async def fill(self, request: Request) -> Response:
        """`POST /v1/gaps/fill`: ask the ledger for what is missing."""
        tenant = self._door.client(request).tenant
        key = request.headers["authorization"]
        return JSONResponse(await gaps.fill(self._store, self._ledger, tenant, key))

    async def reconcile(self, request: Request) -> Response:
        """`GET /v1/reconcile?from=&to=`: whether all that says what was spent says the same."""
        tenant = self._door.client(request).tenant
        comparing = Reconciliation(self._store, self._ledger, tenant,
                                   request.headers["authorization"])
        span = span_of(request.query_params)
        return JSONResponse(await while_wanted(request, comparing.report(span)))


async def known_task(store: CostStore, tenant: str, task: str) -> list[Event]:
    """Return the events of a task.

    Raises:
        NotFound: this tenant has no event of it.
    """
    events = await store.of_task(tenant, task)
    if not events:
        raise NotFound(f"no costs of task {task!r}: it is unknown, or its events are on their way")
    return events


def _structured(event: Event) -> Any:
    return json.loads(encode_structured(event)[1])


def limit_of(request: Request) -> int:
    """Return how many entries a list shall have.

    Raises:
        Permanent: that is no number, or too large a one.
    """
    faults: list[dict[str, str]] = []
    found = read_limit(request.query_params, LISTED, LIST_PAGE_MAX, faults)
    refuse(faults)
    return found
