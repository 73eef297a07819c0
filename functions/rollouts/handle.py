"""Wires the function: events are counted, a timer's event or `POST /rounds` starts a round."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from eventing.adapter import App, Delivery, serve
from eventing.publish import Publisher
from eventing.types import PING
from functions.rollouts.cluster import Services, client
from functions.rollouts.rounds import Rounds
from functions.rollouts.samples import Samples
from functions.rollouts.settings import RolloutsSettings
from shared.clock import now_s
from shared.store import connect


def serve_rollouts(settings: RolloutsSettings) -> Callable[[Request], Awaitable[Response]]:
    """Return the function for `functions-framework --target handle`."""
    credentials = settings.credentials
    rounds = Rounds(
        services=Services(settings.kubernetes_url, credentials, client(credentials)),
        samples=Samples(connect(settings.redis_url)), clock=now_s,
        publisher=Publisher(settings.broker_url))

    async def on_event(delivery: Delivery) -> None:
        if delivery.event.type == PING:
            await rounds.go()
        else:
            await rounds.receive(delivery.event)

    async def on_request(_: Request) -> Response:
        return JSONResponse(dict(await rounds.go()))

    return serve(App(
        name="rollouts", on_event=on_event, exporter=settings.exporter,
        routes=[Route("/rounds", on_request, methods=["POST"])], log_level=settings.log_level))
