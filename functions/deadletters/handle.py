"""Wires the dead letters: events in, and the HTTP API to look and redrive."""

from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from eventing.adapter import App, serve
from eventing.outbox import Outbox
from eventing.publish import Publisher
from eventing.task_cost import Posted
from eventing.task_failing import Failing
from functions.deadletters.desk import NOBODY, Desk
from functions.deadletters.letter import Letter
from functions.deadletters.settings import DeadLettersSettings
from functions.deadletters.shelf import Shelf
from shared.auth import ApiKeys, Caller
from shared.clock import now_s, rfc3339
from shared.errors import NotFound
from shared.http_client import cluster_client
from shared.limits import LEDGER_TIMEOUT_S, LIST_PAGE_MAX
from shared.metering import Meter
from shared.store import connect
from shared.tasks.claims import Claims
from shared.tasks.store import Tasks
from shared.toolcalls.rows import Calls


class _Listing(BaseModel):
    """The query of `GET /v1/dead-letters`."""

    model_config = ConfigDict(extra="forbid")
    limit: int = Field(default=50, ge=1, le=LIST_PAGE_MAX)
    skip: int = Field(default=0, ge=0)


class Api:
    """Lists, shows and redrives a tenant's dead letters; needs the right `tasks`."""

    def __init__(self, shelf: Shelf, desk: Desk, keys: ApiKeys) -> None:
        self._shelf = shelf
        self._desk = desk
        self._keys = keys

    def routes(self) -> list[Route]:
        """Return the API's routes."""
        return [Route("/v1/dead-letters", self.list, methods=["GET"]),
                Route("/v1/dead-letters/{key}", self.show, methods=["GET"]),
                Route("/v1/dead-letters/{key}/redrive", self.redrive, methods=["POST"])]

    def _caller(self, request: Request) -> Caller:
        caller = self._keys.caller(request.headers.get("authorization"))
        caller.allow("tasks")
        return caller

    async def list(self, request: Request) -> Response:
        """Answer the letters, the newest first; administrators also see those of nobody."""
        caller = self._caller(request)
        asked = _Listing.model_validate(dict(request.query_params))
        letters = await self._shelf.page(caller.tenant, asked.limit, asked.skip)
        if "admin" in caller.rights:
            letters += await self._shelf.page(NOBODY, asked.limit, asked.skip)
        return JSONResponse({"dead_letters": [shown(letter) for letter in letters]})

    async def _found(self, request: Request) -> Letter:
        caller, key = self._caller(request), request.path_params["key"]
        letter = await self._shelf.get(caller.tenant, key)
        if letter is None and "admin" in caller.rights:
            letter = await self._shelf.get(NOBODY, key)
        if letter is None:
            raise NotFound(f"there is no dead letter {key}")
        return letter

    async def show(self, request: Request) -> Response:
        """Answer one letter with its event."""
        letter = await self._found(request)
        event = letter.original()
        extensions = {k: v for k, v in event.extensions.items() if k != "grant"}
        return JSONResponse({**shown(letter), "extensions": extensions, "data": (
            event.data or b"").decode("utf-8", "replace")})

    async def redrive(self, request: Request) -> Response:
        """Publish the letter's event again; a task that it failed is opened again first."""
        letter = await self._desk.redrive(await self._found(request), by_hand=True)
        return JSONResponse(shown(letter), status_code=202)


def shown(letter: Letter) -> dict[str, Any]:
    """Return a letter as lists show it."""
    return {**letter.model_dump(exclude={"event", "received_at", "redrive_at"}),
            "received_at": rfc3339(letter.received_at),
            "redrive_at": rfc3339(letter.redrive_at) if letter.redrive_at else None}


def serve_dead_letters(settings: DeadLettersSettings,
                       ) -> Callable[[Request], Awaitable[Response]]:
    """Return the dead letters as a functions-framework function."""
    redis = connect(settings.redis_url)
    shelf, tasks = Shelf(redis), Tasks(redis)
    publisher = Publisher(settings.broker_url)
    outbox = Outbox(tasks, publisher, silence_s=settings.step_silence_s)
    meter = Meter(settings.ledger_url, cluster_client(LEDGER_TIMEOUT_S))
    desk = Desk(shelf, tasks, Claims(redis), Calls(redis), publisher=publisher, clock=now_s,
                grant_key=settings.grant_key,
                failing=Failing(tasks, outbox, Posted(meter, now_s), now_s))
    api = Api(shelf, desk, ApiKeys.read(settings.api_keys))
    return serve(App(name="deadletters", on_event=desk, routes=api.routes(),
                     exporter=settings.exporter, log_level=settings.log_level))
