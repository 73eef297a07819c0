"""Wires the watchdog: a timer's event, or `POST /rounds`, starts a round."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from eventing.adapter import App, Delivery, serve
from eventing.outbox import Outbox
from eventing.publish import Publisher
from eventing.task_cost import Posted
from eventing.task_failing import Failing
from eventing.types import PING
from functions.watchdog.rounds import Rounds
from functions.watchdog.settings import WatchdogSettings
from shared.clock import now_s
from shared.errors import Permanent
from shared.http_client import cluster_client
from shared.limits import LEDGER_TIMEOUT_S
from shared.metering import Meter
from shared.store import connect
from shared.tasks.overdue import Overdue
from shared.tasks.store import Tasks


def serve_watchdog(settings: WatchdogSettings) -> Callable[[Request], Awaitable[Response]]:
    """Return the watchdog as a functions-framework function."""
    redis = connect(settings.redis_url)
    tasks = Tasks(redis)
    publisher = Publisher(settings.broker_url)
    meter = Meter(settings.ledger_url, cluster_client(LEDGER_TIMEOUT_S))
    outbox = Outbox(tasks, publisher, silence_s=settings.step_silence_s)
    rounds = Rounds(tasks, Overdue(redis), publisher=publisher, clock=now_s, outbox=outbox,
                    failing=Failing(tasks, outbox, Posted(meter, now_s), now_s))

    async def on_event(delivery: Delivery) -> None:
        if delivery.event.type != PING:
            raise Permanent(f"the watchdog wakes on {PING}, not on {delivery.event.type}")
        await rounds.go()

    async def on_request(_: Request) -> Response:
        return JSONResponse(dict(await rounds.go()))

    return serve(App(
        name="watchdog", on_event=on_event, exporter=settings.exporter,
        routes=[Route("/rounds", on_request, methods=["POST"])], log_level=settings.log_level))
