"""The ledger: latency of a reserve, pairs under load, time of its script in Redis."""

import time
from statistics import median
from unittest.mock import patch
from uuid import uuid4

from eventing.local.embedded_redis import start
from functions.ledger.accounts import Accounts, accounts_of
from functions.ledger.escrow import Escrow
from functions.ledger.prices import PriceBook
from functions.ledger.requests import ReserveBody
from functions.ledger.reserving import Reservations
from functions.ledger.store import Store
from shared.auth import Grant, TaskLimits
from shared.store import connect
from tests.benchmarks.alone import Ledger, alone
from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.raw import BATCH, Wire, call
from tests.benchmarks.rig import generated, per_s, processor_s, running

RESERVES = 2000
LOAD_CLIENTS, LOAD_S, LOAD_WARM_S = 16, 10, 3
PACE, PACE_S = 300, 20
BATCH_CLIENTS = 4
INCREMENTS = 5000


async def reserve(folder):
    """Return p50 and p99 of a reserve over HTTP, warm, by one client."""
    async with running(folder) as rig:
        wire = await Wire.open(rig.addresses["ledger"], {"tollgate-grant": rig.grant()})
        for _ in range(200):
            await wire.post("/v1/reservations", call(str(uuid4())))
        samples = []
        for _ in range(RESERVES):
            body = call(str(uuid4()))
            began = time.perf_counter()
            status = await wire.post("/v1/reservations", body)
            samples.append((time.perf_counter() - began) * 1000)
            assert status == 201, status
        wire.close()
    return [Figure("ledger reserve p50, 1 client", median(samples), "ms", 2.5),
            Figure("ledger reserve p99, 1 client", percentile(samples, 99), "ms", 8)]


async def load(folder):
    """Return reserve+settle pairs per second of a ledger, beside it only Redis and the load.

    And the time of all processors that a pair takes in the ledger, and in all that runs.
    """
    with alone(folder) as ledger:
        await pairs(ledger, LOAD_WARM_S)
        before, taken = processor_s(), ledger.taken()
        found = await pairs(ledger, LOAD_S)
        each, taken = _each(before, found), ledger.taken() - taken
    assert taken, "no event was published: this would measure half of the work"
    return [Figure("reserve+settle pairs, 16 clients", per_s(found), "per s", 800, at_least=True),
            Figure("events published meanwhile", taken / found["seconds"], "per s", None),
            Figure("processor time of a pair, the ledger", each["ledger"], "µs", None),
            Figure("processor time of a pair, ledger and Redis",
                   each["ledger"] + each["redis-server"], "µs", None)]


async def whole(folder):
    """Return pairs per second while broker and awake costs work on the same processors."""
    async with running(folder) as rig:
        ledger = Ledger(rig.addresses["ledger"], rig.grant())
        await pairs(ledger, LOAD_WARM_S)
        before, delivered = processor_s(), await _delivered(rig)
        found = await pairs(ledger, LOAD_S)
        each, drained = _each(before, found), await _delivered(rig) - delivered
    assert drained, "no event reached costs: this would measure half of the work"
    name = "with broker and costs on the same processors"
    return [Figure(f"pairs {name}", per_s(found), "per s", 500, at_least=True),
            Figure(f"events {name} that reached costs", drained / found["seconds"], "per s", None),
            Figure(f"processor time of a pair {name}", sum(each.values()), "µs", None)]


def _each(before, found):
    """Return the µs of processor time that a pair took in each process since `before`."""
    return {name: (spent - before.get(name, 0.0)) / found["done"] * 1e6
            for name, spent in processor_s().items()}


async def _delivered(rig):
    return sum(trigger["delivered"] for trigger in (await rig.status())["triggers"]
               if trigger["name"].startswith("costs"))


async def paced(folder):
    """Return how long a pair takes at 300 a second, on schedule, from when it was due."""
    with alone(folder) as ledger:
        await pairs(ledger, LOAD_WARM_S)
        found = await generated(ledger.url, "pair", ledger.headers, rate=PACE,
                                seconds=PACE_S)
    name = f"reserve+settle at {PACE}/s, open loop"
    return [Figure(f"{name} p50", found["p50_ms"], "ms", None),
            Figure(f"{name} p99", found["p99_ms"], "ms", 20)]


async def batch(folder):
    """Return reservations per second in batch calls, by a few clients."""
    with alone(folder) as ledger:
        found = await generated(ledger.url, "batch", ledger.headers,
                                clients=BATCH_CLIENTS, seconds=LOAD_S)
    name = f"reservations in batches of {BATCH}, {BATCH_CLIENTS} clients"
    return [Figure(name, per_s(found) * BATCH, "per s", None)]


async def pairs(ledger, seconds):
    """Have clients reserve and settle for a while; return what came of it."""
    return await generated(ledger.url, "pair", ledger.headers,
                           clients=LOAD_CLIENTS, seconds=seconds)


async def script(folder):
    """Return the time of the reserve script in Redis at 4 and 12 accounts, and beside `INCRBY`.

    The 4 accounts are the lifetime ones of tenant, agent, session and task; a reservation has 8,
    and one of a sub-task of the fourth degree 12.
    """
    server = start(folder, durable=True)
    redis = connect(server.url)
    figures = []
    try:
        version = (await redis.info("server"))["redis_version"]
        for accounts, grant, target in ((4, GRANT, 80), (12, DEEP, 130)):
            each, increment = await _timed(redis, grant, accounts)
            name = f"reserve script, {accounts} accounts, Redis {version}"
            figures += [Figure(name, each, "µs", target),
                        Figure(f"{name} ÷ INCRBY", each / increment, "ratio", None)]
    finally:
        await redis.aclose()
        server.stop()
    return figures


async def _timed(redis, grant, accounts):
    """Return µs per reserve and per increment, as Redis counts them."""
    store = Store(redis)
    reservations = Reservations(store, PriceBook({}), Escrow(store))
    with patch("functions.ledger.store.accounts_of", _of(accounts)):
        for _ in range(200):
            await reservations.reserve(grant, _ask())
        await redis.config_resetstat()
        for _ in range(RESERVES):
            await reservations.reserve(grant, _ask())
    for _ in range(INCREMENTS):
        await redis.incrby("bench:increments", 1)
    stats = await redis.info("commandstats")
    return stats["cmdstat_evalsha"]["usec_per_call"], stats["cmdstat_incrby"]["usec_per_call"]


LIMITS = TaskLimits(task="t", usd=10**15, tok=10**12)
GRANT = Grant(tenant="bench", agent="researcher", session="s", root="t", exp=2**40, limits=LIMITS)
DEEP = GRANT.model_copy(update={"ancestors": tuple(
    LIMITS.model_copy(update={"task": f"a{n}"}) for n in range(4))})


def _of(count):
    def chosen(*given, **options):
        every = accounts_of(*given, **options)
        kept = every.all if count == 12 else tuple(
            a for a in every.all if a.name.endswith("|life"))
        assert len(kept) == count, kept
        task = next(n for n, a in enumerate(kept, 1) if a.name.startswith("task|"))
        return Accounts(kept, task_position=task)
    return chosen


def _ask():
    return ReserveBody.model_validate(call(str(uuid4())))
