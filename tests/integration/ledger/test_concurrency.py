"""Many workers at once over a random tree of tasks, while a reader audits moment after moment."""

import asyncio
import random

import pytest

from shared.errors import Busy
from shared.metering import Denied, Settlement
from shared.usage import Usage
from tests.integration.ledger.audit import assert_sound, watching
from tests.seeds import SEED, times

pytestmark = pytest.mark.anyio
WORKERS, CALLS, TASKS = 64, times(4, 20), 12
LIMIT = 5 * CALLS * (1000 * 150 + 500 * 600)


def hierarchy(chance):
    """Return task → its ancestors, nearest first: a tree of depth four at most."""
    above = {"task0": ()}
    for n in range(1, TASKS):
        parent = chance.choice([t for t, path in above.items() if len(path) < 3])
        above[f"task{n}"] = (parent, *above[parent])
    return above


async def spend(ledger, chance, above, admitted):
    """Make some calls and end each in one of the ways that calls end."""
    for _ in range(CALLS):
        task = chance.choice(list(above))
        call = ledger.call(task=task, ancestors=ledger.limits(above[task]), root="task0",
                           agent=chance.choice(["researcher", "writer"]))
        try:
            await ledger.meter.hold(call, dispatch=True)
        except Denied:
            continue
        admitted.append(call.id)
        await asyncio.sleep(0)
        await ended(ledger, chance, call)


async def ended(ledger, chance, call):
    how = chance.choice(["settle", "twice", "void", "resolve", "late", "race"])
    used = Settlement(usage=Usage(input_uncached=chance.randrange(1001),
                                  output_text=chance.randrange(501)))
    meter, grant = ledger.meter, call.grant
    if how == "void":
        await meter.void(call.id, 1, grant=grant)
    elif how == "race":
        both = await asyncio.gather(meter.settle(call.id, used, grant=grant),
                                    meter.resolve(call.id, 1, grant=grant),
                                    return_exceptions=True)
        assert not [e for e in both if isinstance(e, Exception) and not isinstance(e, Busy)], both
    elif how == "resolve":
        await meter.resolve(call.id, 1, grant=grant)
    else:
        if how == "late":
            await meter.resolve(call.id, 1, grant=grant)
        charges = [await meter.settle(call.id, used, grant=grant)
                   for _ in range(2 if how == "twice" else 1)]
        assert len({charge.total_nano for charge in charges}) == 1


async def test_64_workers_overspend_nothing_and_every_moment_is_sound(ledger):
    chance = random.Random(SEED)
    above, admitted, done = hierarchy(chance), [], asyncio.Event()
    assert (await ledger.budget(LIMIT)).status_code == 200
    name = f"tenant|{ledger.tenant}|life"
    known = {"limits": {name: {"usd": LIMIT}}}
    reader = asyncio.create_task(watching(ledger.redis, ledger.tenant, done, **known))

    await asyncio.gather(*(spend(ledger, random.Random(SEED + n), above, admitted)
                           for n in range(WORKERS)))
    done.set()

    assert await reader > 3
    books = await assert_sound(ledger.redis, ledger.tenant, **known)
    assert books.of("PENDING") == set()
    assert sorted(books.of("SETTLED", "VOIDED", "FORFEITED")) == sorted(admitted)
    assert 0 < books.number(name, "usd.pst") <= LIMIT
    assert len(await ledger.drained()) == len(books.entries)
