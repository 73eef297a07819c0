"""Builds the ledger out of its parts."""

from pathlib import Path

from pydantic import SecretStr

from eventing.adapter import App
from eventing.publish import Publisher
from functions.ledger.api import Door, Parts, routes
from functions.ledger.background import Background
from functions.ledger.budgets import Budgets
from functions.ledger.finishing import Endings
from functions.ledger.outbox import Outbox
from functions.ledger.prices import PriceBook
from functions.ledger.reports import Reports
from functions.ledger.reserving import Reservations
from functions.ledger.settings import LedgerSettings
from functions.ledger.store import Store
from shared.auth import ApiKeys
from shared.clock import Clock, now_s
from shared.http_client import cluster_client
from shared.limits import PUBLISH_TIMEOUT_S
from shared.store import Redis, connect, refuse_eviction


def build(settings: LedgerSettings) -> App:
    """Return the function; it connects at its first request."""
    redis = connect(settings.redis_url)
    publisher = Publisher(settings.broker_url, cluster_client(PUBLISH_TIMEOUT_S))
    parts = assemble(redis, publisher, PriceBook.read(Path(settings.catalogue)),
                     key=settings.grant_key, api_keys=ApiKeys.read(Path(settings.api_keys)))

    async def start() -> None:
        await refuse_eviction(redis)
        await parts.background.start()

    return App(name="ledger", routes=routes(parts), start=start, exporter=settings.exporter,
               log_level=settings.log_level)


def assemble(redis: Redis, publisher: Publisher, prices: PriceBook, *, key: SecretStr,
             api_keys: ApiKeys, clock: Clock = now_s) -> Parts:
    """Return the parts, connected to each other; tests bring their own."""
    store = Store(redis, clock)
    reservations = Reservations(store, prices)
    endings, outbox = Endings(reservations), Outbox(store, publisher)
    return Parts(
        door=Door(key, api_keys, clock), reservations=reservations, endings=endings,
        budgets=Budgets(store), reports=Reports(store), outbox=outbox,
        background=Background(store, endings, outbox, clock))


