"""Puts the cost store together: events come in, the API and the pages answer."""

import logging
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from eventing.adapter import App, Delivery, serve
from eventing.types import PING, TaskCompleted
from functions.costs.archive.archive import Archive
from functions.costs.archive.objects import Bucket
from functions.costs.pages.routes import Pages
from functions.costs.routes import metrics
from functions.costs.routes.api import Api
from functions.costs.routes.door import Door
from functions.costs.routes.exports import Exports
from functions.costs.routes.live import Live
from functions.costs.routes.trust import Trust
from functions.costs.routes.views import Views
from functions.costs.settings import CostsSettings
from functions.costs.store.store import CostStore, Stored
from functions.costs.trust.ledger import LedgerEvents
from shared.http_client import cluster_client
from shared.limits import LEDGER_TIMEOUT_S
from shared.store import Redis, connect, refuse_eviction

log = logging.getLogger(__name__)


def build(settings: CostsSettings) -> Callable[[Request], Awaitable[Response]]:
    """Return the function for `functions-framework --target handle`."""
    return serve(app(settings, connect(settings.redis_url)))


def app(settings: CostsSettings, redis: Redis) -> App:
    """Return the function's parts; nothing is connected before the first request."""
    bucket = settings.archive_bucket
    archive = Archive(redis, Bucket(bucket, settings.archive_endpoint)) if bucket else None
    store = CostStore(redis, tag_keys=filter(None, settings.tag_keys.split(",")), archive=archive)
    door = Door(settings.api_keys)
    ledger = LedgerEvents(settings.ledger_url, cluster_client(LEDGER_TIMEOUT_S))

    async def start() -> None:
        await refuse_eviction(redis)

    async def receive(delivery: Delivery) -> None:
        if delivery.event.type == TaskCompleted.TYPE:
            await store.end(delivery.event)
        elif delivery.event.type == PING:
            await store.archive_due(settings.months_kept)
            await store.pack_all()
        else:
            await keep(store, delivery)

    # No grant key: the ledger's events allow nothing, so they carry no grant.
    return App(name="costs", on_event=receive, start=start,
               routes=[metrics.metric_route(store), *Api(store, door, ledger).routes(),
                       *Views(store, door, ledger).routes(), *Exports(store, door).routes(),
                       *Live(store, door).routes(), *Trust(store, door, ledger).routes(),
                       *Pages(store, door, ledger, trace_url=settings.trace_url).routes()],
               exporter=settings.exporter, log_level=settings.log_level)


async def keep(store: CostStore, delivery: Delivery) -> None:
    """Store the event, exactly once however often it comes.

    Raises:
        Permanent, ValidationError: it is no event of the ledger.
        Unavailable: Redis is away; the broker delivers it again.
    """
    fact, outcome = await store.store(delivery.event)
    metrics.count(fact, outcome)
    if outcome is Stored.CONFLICT:
        log.error("one sequence number came under two event ids: the ledger must begin an epoch",
                  extra={"tenant": fact.tenant, "epoch": fact.epoch, "number": fact.number,
                         "event": fact.id})
