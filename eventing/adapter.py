"""Turns a handler into a functions-framework function with Knative's reply dialect.

`functions_framework.cloud_event` is not used: it answers every success with the body `OK`, which a
Broker treats as a failed delivery (ADR 0002).
"""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import functions_framework.aio
from pydantic import SecretStr, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route

from eventing.event import Event, checked
from eventing.http import decode, encode_binary, is_event
from eventing.problems import brief, invalid, problem
from shared import faults, telemetry
from shared.auth import Grant, verify
from shared.errors import Forbidden, NotFound, TollgateError, TooLarge
from shared.faults import FaultPoint
from shared.limits import REQUEST_BYTES_MAX

log = logging.getLogger(__name__)

CLIENT_GONE = 499
"""The status that logs give a request whose caller did not wait; nobody reads the answer."""

METRICS = "/metrics"
RELAYED = ("forwarded", "x-forwarded-for")
"""What Knative's proxies, as all others, tell a function of who asked them."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event as it came, with the grant whose signature was checked."""

    event: Event
    grant: Grant | None

    @property
    def granted(self) -> Grant:
        """Return the grant of an event that must have one."""
        if self.grant is None:
            raise TollgateError("the function handles events with grants and was built without")
        return self.grant


@dataclass(frozen=True, slots=True)
class App:
    """One function: its name, what it does with events, its HTTP routes."""

    name: str
    on_event: Callable[[Delivery], Awaitable[Event | None]] | None = None
    routes: Sequence[Route] = ()
    grant_key: SecretStr | None = None
    """If set, an event without a valid grant is refused with 401 and nothing happens."""
    start: Callable[[], Awaitable[None]] | None = None
    """Runs once, before the first request is handled; connects and starts background work."""
    exporter: str = "none"
    log_level: str = "INFO"


def serve(app: App) -> Callable[[Request], Awaitable[Response]]:
    """Return the function for `functions-framework --target handle`."""
    telemetry.configure(app.name, exporter=app.exporter, level=app.log_level)
    faults.arm(app.name, os.environ)
    served = _Served(app)

    async def handle(request: Request) -> Response:
        return await served(request)

    functions_framework.aio.http(handle)  # registers the name; the function itself is unchanged
    return handle


class _Served:
    """The function as it runs: started once, then one request after the other."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._routes = [*app.routes, Route("/health", _health), Route(METRICS, _metrics)]
        self._starting = asyncio.Lock()
        self._started = app.start is None

    async def __call__(self, request: Request) -> Response:
        answer = await _answered(request, self._dispatched(request))
        return brief(answer) if self._is_delivery(request) else answer

    def _is_delivery(self, request: Request) -> bool:
        return (self._app.on_event is not None and request.scope["path"] == "/"
                and is_event(request.headers))

    async def _dispatched(self, request: Request) -> Response:
        await self._ready()
        if self._is_delivery(request):
            return await self._event(request)
        return await self._http(request)

    async def _ready(self) -> None:
        if self._started or self._app.start is None:
            return
        async with self._starting:
            if not self._started:
                await self._app.start()
                self._started = True

    async def _http(self, request: Request) -> Response:
        if request.scope["path"] == METRICS:
            _refuse_relayed(request)
        for route in self._routes:
            match, scope = route.matches(request.scope)
            if match is Match.FULL:
                request.scope.update(scope)
                parent = request.headers.get("traceparent")
                with telemetry.span(f"{request.method} {route.path}", traceparent=parent):
                    return await _answered(request, route.endpoint(request))
        if any(r.matches(request.scope)[0] is Match.PARTIAL for r in self._routes):
            return Response(status_code=405)
        raise NotFound(f"no route {request.method} {request.url.path}")

    async def _event(self, request: Request) -> Response:
        event = checked(decode(request.headers, await body_of(request)))
        attributes = {"cloudevents.event_id": event.id, "cloudevents.event_type": event.type,
                      "cloudevents.event_source": event.source,
                      "agent.task_id": event.get("taskid")}
        with telemetry.span(f"{self._app.name} process", attributes, event.get("traceparent")):
            return await _answered(request, self._delivered(event))

    async def _delivered(self, event: Event) -> Response:
        try:
            return await self._handled(event)
        except NotFound as error:
            return problem(error, status=422)  # a Broker would retry a 404
        except TollgateError as error:
            log.warning("delivery refused: %s", error.detail,
                        extra={"event": event.id, "type": event.type, "status": error.status})
            return problem(error)

    async def _handled(self, event: Event) -> Response:
        key = self._app.grant_key
        grant = verify(event.get("grant"), key) if key else None
        handler = self._app.on_event
        reply = await handler(Delivery(event, grant)) if handler else None
        await faults.reach(FaultPoint.BEFORE_RESPONSE)
        if reply is None:
            return Response(status_code=204)
        headers, body = encode_binary(reply)
        return Response(body, status_code=200, headers=headers)


async def _answered(request: Request, work: Awaitable[Response]) -> Response:
    """Return the work's answer, or the problem that its failure is.

    Used inside a span, so that the log and the answer name its trace.
    """
    try:
        answer = await work
    except ValidationError as error:
        answer = problem(invalid(error))
    except TollgateError as error:
        answer = problem(error)
    except ClientDisconnect:
        log.info("%s %s: the caller has gone", request.method, request.url.path)
        return Response(status_code=CLIENT_GONE)
    except Exception:
        log.exception("unexpected failure on %s %s", request.method, request.url.path)
        answer = problem(TollgateError("an unexpected failure; the log has it"))
    if answer.status_code >= 500:
        telemetry.mark_failed()
    return answer


async def body_of(request: Request, bytes_max: int = REQUEST_BYTES_MAX) -> bytes:
    """Return the request's body.

    Raises:
        TooLarge: it has more than `bytes_max` bytes; reading stops there.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > bytes_max:
            raise TooLarge(f"the body is larger than {bytes_max} bytes", bytes_max=bytes_max)
    return bytes(body)


async def _health(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


def _refuse_relayed(request: Request) -> None:
    """Return if the caller asks this very process, as Prometheus does.

    Raises:
        Forbidden: the request came by a route, and metrics hold every tenant's figures.
    """
    if any(name in request.headers for name in RELAYED):
        raise Forbidden("metrics are of all tenants: only who asks the process itself gets them")


async def _metrics(_: Request) -> Response:
    from prometheus_client import CONTENT_TYPE_LATEST, generate_latest  # not at a cold start

    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
