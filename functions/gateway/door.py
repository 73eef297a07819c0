"""The gateway's routes: the task API for all agents, and `POST /events`."""

from collections.abc import Awaitable, Callable

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from eventing.adapter import App, body_of, serve
from eventing.event import checked
from eventing.hints import Hints
from eventing.http import decode
from eventing.outbox import Outbox
from eventing.problems import invalid
from eventing.publish import Publisher
from eventing.submission import Origin, Submissions
from eventing.task_api import TaskApi, TaskApiParts, summary
from functions.gateway.inbound import stamped, task_in
from functions.gateway.settings import GatewaySettings
from shared.auth import ApiKeys, Caller
from shared.clock import now_s
from shared.contracts import Catalogue
from shared.errors import Overloaded
from shared.limits import EVENT_BYTES_MAX
from shared.store import Redis, connect, mapped, refuse_eviction
from shared.tasks import keys
from shared.tasks.reading import Reader
from shared.tasks.store import Tasks

Endpoint = Callable[[Request], Awaitable[Response]]


class Door:
    """What the gateway does beside the task API."""

    def __init__(self, api: TaskApi, parts: TaskApiParts, publisher: Publisher,
                 catalogue: Catalogue) -> None:
        self._api = api
        self._parts = parts
        self._publisher = publisher
        self._catalogue = catalogue

    async def agents(self, request: Request) -> Response:
        """Answer the agents that tasks can be given to."""
        self._api.caller(request)
        return JSONResponse({"agents": [a.model_dump() for a in self._catalogue.agents]})

    async def event(self, request: Request) -> Response:
        """Take a CloudEvent from outside: a task to start, or an event for the broker."""
        caller = self._parts.keys.caller(request.headers.get("authorization"))
        caller.allow("events")
        event = checked(decode(request.headers, await body_of(request, EVENT_BYTES_MAX - 1)))
        try:
            task = task_in(event)
        except ValidationError as error:
            raise invalid(error) from error
        if task is None:
            await self._publisher.publish(stamped(event, caller.tenant))
            return JSONResponse({"id": event.id, "location": None}, status_code=202)
        self._api.known(task.agent)
        state = await self._parts.submissions.submit(task, Origin(caller.tenant, event=event))
        address = f"/tasks/{state.task.id}"
        return JSONResponse({**summary(state), "event": event.id, "location": address},
                            status_code=202, headers={"Location": address})

    def routes(self) -> list[Route]:
        """Return the gateway's own routes."""
        return [Route("/events", self.event, methods=["POST"]),
                Route("/agents", self.agents, methods=["GET"])]


class Rate:
    """Counts a tenant's requests per second in Redis, so that all instances count together."""

    def __init__(self, redis: Redis, keyring: ApiKeys, per_s: int) -> None:
        self._redis = redis
        self._keys = keyring
        self._per_s = per_s

    def limited(self, endpoint: Endpoint) -> Endpoint:
        """Return the endpoint behind the limit.

        Raises:
            Overloaded: the tenant asked too often in this second.
        """
        async def within(request: Request) -> Response:
            await self._count(self._keys.caller(request.headers.get("authorization")))
            return await endpoint(request)

        return within

    async def _count(self, caller: Caller) -> None:
        key = keys.rate(caller.tenant, int(now_s()))
        with mapped():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.incr(key)
                pipe.expire(key, 2)
                count, _ = await pipe.execute()
        if count > self._per_s:
            raise Overloaded(f"more than {self._per_s} requests in one second: try again in the "
                             "next", limit_per_s=self._per_s)


def serve_gateway(settings: GatewaySettings) -> Endpoint:
    """Return the gateway as a functions-framework function."""
    redis = connect(settings.redis_url)
    keyring = ApiKeys.read(settings.api_keys)
    catalogue = Catalogue.read(settings.catalogue)
    publisher = Publisher(settings.broker_url)
    tasks = Tasks(redis)
    outbox = Outbox(tasks, publisher, silence_s=settings.step_silence_s)
    parts = TaskApiParts(
        tasks=tasks, reader=Reader(redis), hints=Hints(redis), keys=keyring, clock=now_s,
        submissions=Submissions(tasks, outbox, settings.grant_key, now_s),
        agents=[agent.name for agent in catalogue.agents])
    api = TaskApi(parts)
    door = Door(api, parts, publisher, catalogue)
    rate = Rate(redis, keyring, settings.requests_per_s)
    routes = [Route(r.path, rate.limited(r.endpoint), methods=sorted(r.methods or ()))
              for r in (*api.routes(), *door.routes())]

    async def ready(_: Request) -> Response:
        with mapped():
            await redis.ping()
        return JSONResponse({"status": "ready", "checks": {"redis": "ok"}})

    async def start() -> None:
        await refuse_eviction(redis)

    return serve(App(name="gateway", routes=[*routes, Route("/ready", ready)], start=start,
                     exporter=settings.exporter, log_level=settings.log_level))
