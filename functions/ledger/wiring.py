"""Builds the ledger out of its parts."""

from pathlib import Path

from pydantic import SecretStr

from eventing.adapter import App
from eventing.publish import Publisher
from functions.ledger.api import routes
from functions.ledger.background import Background
from functions.ledger.budget_apply import BudgetFiles
from functions.ledger.budget_mount import MountedBudgets
from functions.ledger.budgets import Budgets
from functions.ledger.door import Door
from functions.ledger.escrow import Escrow
from functions.ledger.finishing import Endings
from functions.ledger.outbox import Outbox
from functions.ledger.packing import FORMS, Form, pack
from functions.ledger.parts import Parts
from functions.ledger.prices import PriceBook
from functions.ledger.reports import Reports
from functions.ledger.rerating import Rerates
from functions.ledger.reserving import Reservations
from functions.ledger.settings import LedgerSettings
from functions.ledger.store import Store
from functions.ledger.switch import Switch
from functions.ledger.waking import Waking
from shared.auth import ApiKeys
from shared.clock import Clock, now_s
from shared.limits import LEDGER_STORE_TIMEOUT_S
from shared.store import Redis, connect, refuse_eviction


def build(settings: LedgerSettings) -> App:
    """Return the function; it connects at its first request."""
    redis = connect(settings.redis_url, LEDGER_STORE_TIMEOUT_S, copies=settings.redis_copies)
    publisher = Publisher(settings.broker_url)
    parts = assemble(redis, publisher, PriceBook.read(Path(settings.catalogue)),
                     key=settings.grant_key, api_keys=ApiKeys.read(Path(settings.api_keys)),
                     budgets=settings.budgets, form=FORMS[settings.rows])

    async def start() -> None:
        await refuse_eviction(redis)
        await parts.mounted.look()
        await parts.background.start()

    return App(name="ledger", routes=routes(parts), start=start, exporter=settings.exporter,
               log_level=settings.log_level)


def assemble(redis: Redis, publisher: Publisher, prices: PriceBook, *, key: SecretStr,
             api_keys: ApiKeys, budgets: str = "", form: Form = pack,
             clock: Clock = now_s) -> Parts:
    """Return the parts, connected to each other; tests bring their own."""
    store = Store(redis, clock)
    escrow = Escrow(store)
    reservations = Reservations(store, prices, escrow)
    endings = Endings(reservations, form)
    outbox = Outbox(store, publisher, endings.ended)
    waking = Waking(store, publisher)
    files = BudgetFiles(store, prices)
    mounted, switch = MountedBudgets(budgets, files), Switch(store, publisher)
    return Parts(
        door=Door(key, api_keys, clock), reservations=reservations, endings=endings,
        budgets=Budgets(store), files=files, mounted=mounted, reports=Reports(store),
        outbox=outbox, rerates=Rerates(endings, outbox), switch=switch,
        background=Background(store, endings, outbox, mounted=mounted, escrow=escrow,
                              waking=waking, switch=switch, clock=clock))
