"""Serves one agent: `serve(folder, settings)` is all that an agent's `main.py` says."""

import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx2
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from eventing.adapter import App
from eventing.adapter import serve as serve_app
from eventing.hints import Hints
from eventing.openapi import document
from eventing.outbox import Outbox
from eventing.publish import Publisher
from eventing.submission import Submissions
from eventing.task_api import TaskApi, TaskApiParts
from eventing.task_cost import Posted
from functions.agents.definition import Definition, read
from functions.agents.host import Host, Parts
from functions.agents.loop import Toolbox
from functions.agents.perform import Performer, jittered
from functions.agents.pinning import Siblings
from functions.agents.settings import AgentSettings
from shared import limits
from shared.auth import ApiKeys
from shared.clock import now_s
from shared.contracts import Catalogue
from shared.errors import TollgateError
from shared.http_client import cluster_client, plain_client, public_client
from shared.metering import Meter
from shared.models.open import open_model
from shared.models.port import Model
from shared.store import Redis, connect, mapped, refuse_eviction
from shared.tasks.claims import Claims
from shared.tasks.reading import Reader
from shared.tasks.store import Tasks

WAITERS_MAX = 10
"""Half of an agent's slots: the others are for its events."""

Handle = Callable[[Request], Awaitable[Response]]


def serve(folder: Path, settings: AgentSettings) -> Handle:
    """Return the function of the agent in a folder for `functions-framework --target handle`."""
    definition = read(folder)
    redis = connect(settings.redis_url)
    catalogue = Catalogue.read(settings.catalogue)
    model = open_model(settings, _provider_client(definition.model or settings.model))
    parts = _parts(definition, settings, redis, toolbox=Toolbox.of(definition, catalogue),
                   model=model)
    api = TaskApi(TaskApiParts(
        tasks=parts.tasks, reader=Reader(redis), hints=Hints(redis), clock=now_s,
        submissions=Submissions(parts.tasks, parts.outbox, settings.grant_key, now_s),
        keys=ApiKeys.read(settings.api_keys), agents=[definition.name], waiters_max=WAITERS_MAX))
    readiness = Readiness(redis, model)

    async def start() -> None:
        await refuse_eviction(redis)

    async def openapi(_: Request) -> Response:
        return JSONResponse(document(definition.name, definition.description, definition.version))

    return serve_app(App(
        name=definition.name, on_event=Host(parts), grant_key=settings.grant_key, start=start,
        routes=[*api.routes(), Route("/ready", readiness), Route("/openapi.json", openapi)],
        exporter=settings.exporter, log_level=settings.log_level))


def _parts(definition: Definition, settings: AgentSettings, redis: Redis, *, toolbox: Toolbox,
           model: Model) -> Parts:
    tasks = Tasks(redis)
    publisher = Publisher(settings.broker_url)
    meter = Meter(settings.ledger_url, cluster_client(limits.LEDGER_TIMEOUT_S))
    return Parts(
        definition=definition, toolbox=toolbox, tasks=tasks,
        claims=Claims(redis), siblings=Siblings(
            definition.name, settings.revision, settings.ledger_url,
            cluster_client(limits.HANDLER_TIMEOUT_S)),
        publisher=publisher, posted=Posted(meter, now_s), model=model, clock=now_s,
        outbox=Outbox(tasks, publisher, silence_s=settings.step_silence_s),
        model_name=definition.model or settings.model,
        performer=Performer(definition, model, meter, env=settings.env, clock=now_s,
                            pause=jittered, revision=settings.revision))


def _provider_client(model: str) -> httpx2.AsyncClient:
    """Return the client for providers; the offline model needs no trust store, slow to load."""
    opened = plain_client if model.startswith("scripted/") else public_client
    return opened(limits.MODEL_TIMEOUT_S)


class Readiness:
    """`GET /ready`: Redis and the model's provider, the latter asked every 10 s at most."""

    def __init__(self, redis: Redis, model: Model) -> None:
        self._redis = redis
        self._model = model
        self._asked_at = float("-inf")
        self._answer = "ok"

    async def __call__(self, _: Request) -> Response:
        """Answer 200 with each check, or 503 if one fails."""
        checks = {"redis": await self._redis_check(), "model": await self._model_check()}
        ready = all(answer == "ok" for answer in checks.values())
        return JSONResponse({"status": "ready" if ready else "not ready", "checks": checks},
                            status_code=200 if ready else 503)

    async def _redis_check(self) -> str:
        try:
            with mapped():
                await self._redis.ping()
        except TollgateError as error:
            return error.detail
        return "ok"

    async def _model_check(self) -> str:
        if time.monotonic() - self._asked_at < limits.MODEL_READY_CACHE_S:
            return self._answer
        try:
            await self._model.ready()
            self._answer = "ok"
        except TollgateError as error:
            self._answer = error.detail
        self._asked_at = time.monotonic()
        return self._answer
