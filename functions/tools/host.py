"""Serves one tool: `serve(tool, settings)` is all that a tool's `main.py` says.

Wakes on `tool.requested`, publishes `tool.completed` to the broker itself before it acknowledges,
and answers `POST /invoke`, `GET /contract`, `/ready`, `/health` and `/metrics`.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from eventing.adapter import App, Delivery
from eventing.adapter import serve as serve_app
from eventing.publish import Publisher
from functions.tools.declare import Context, Tool
from functions.tools.http_api import routes
from functions.tools.job import Job, completed, waiting
from functions.tools.perform import Bench, Starved, answered, settled
from shared.auth import ApiKeys, GrantKeys
from shared.clock import now_s
from shared.faults import FaultPoint, reach
from shared.http_client import cluster_client
from shared.limits import LEDGER_TIMEOUT_S
from shared.metering import Meter
from shared.settings import Settings
from shared.store import connect, refuse_eviction
from shared.toolcalls.rows import Calls


class ToolSettings(Settings):
    """What every tool reads from its environment."""

    redis_url: str = Field(alias="REDIS_URL")
    broker_url: str = Field(alias="BROKER_URL")
    ledger_url: str = Field(alias="LEDGER_URL")
    grant_key: GrantKeys = Field(alias="TOLLGATE_GRANT_KEY")
    api_keys: Path = Field(alias="TOLLGATE_API_KEYS")
    env: str = Field(default="local", alias="TOLLGATE_ENV")
    log_level: str = Field(default="INFO", alias="LOG_LEVEL")
    exporter: str = Field(default="none", alias="OTEL_TRACES_EXPORTER")
    collector: str | None = Field(default=None, alias="OTEL_EXPORTER_OTLP_ENDPOINT")
    """Read by the exporter itself."""


def serve(tool: Tool[Any], settings: ToolSettings) -> Callable[[Request], Awaitable[Response]]:
    """Return the function of a tool for `functions-framework --target handle`."""
    bench, publisher = _bench(tool, settings), _publisher(settings)
    keys = partial(ApiKeys.read, settings.api_keys)  # read when first needed: most calls are events
    return serve_app(App(
        name=tool.name, on_event=partial(deliver, bench, publisher),
        routes=routes(bench, keys, settings.grant_key), grant_key=settings.grant_key,
        start=partial(refuse_eviction, bench.redis), exporter=settings.exporter,
        log_level=settings.log_level))


async def deliver(bench: Bench, publisher: Publisher, delivery: Delivery) -> None:
    """Bring the call to its outcome and publish that, once; again for each new nudge.

    Raises:
        Busy: another process has the call, or open holds stand in the way: the broker retries,
            and then the dead letters answer the task.
        Transient: Redis, the ledger or the broker is away; what is done is found again.
    """
    job = Job.of(delivery)
    async with bench.calls.take(job.tenant, job.asked.call_id) as call:
        await reach(FaultPoint.TOOL_AFTER_CLAIM)
        if call.is_published and job.nudge <= call.nudge:
            return
        try:
            call = await answered(bench, call, job)
        except Starved as starved:
            await publisher.publish(waiting(delivery.event, starved.call, starved.why))
            return
        # The outcome is stored, so the agent need not wait for the money: a crash from here on
        # publishes and settles again, both of which may be done twice.
        await reach(FaultPoint.TOOL_BEFORE_PUBLISH)
        await publisher.publish(completed(delivery.event, call.tenant, call.outcome))
        await reach(FaultPoint.TOOL_AFTER_PUBLISH)
        await settled(bench, call, job)
        await reach(FaultPoint.TOOL_AFTER_SETTLE)
        await bench.calls.done(call, delivery.event.number("nudge"))


def _bench(tool: Tool[Any], settings: ToolSettings) -> Bench:
    redis, client = connect(settings.redis_url), cluster_client(LEDGER_TIMEOUT_S)

    def context(job: Job) -> Context[Any]:
        return Context(idempotency_key=job.asked.call_id, tenant=job.tenant, task=job.task,
                       settings=settings)

    return Bench(tool=tool, calls=Calls(redis), meter=Meter(settings.ledger_url, client),
                 redis=redis, clock=now_s, env=settings.env, context=context,
                 revision=settings.revision)


def _publisher(settings: ToolSettings) -> Publisher:
    return Publisher(settings.broker_url)
