"""Events reach the broker at least once, however slow, away or forgetful it is; gaps are seen."""

import asyncio
import contextlib
import random
from collections import Counter
from dataclasses import replace

import pytest

from shared.errors import Transient
from shared.limits import OUTBOX_POSTS_MAX
from shared.metering import Settlement
from shared.usage import Usage
from tests.integration.ledger.audit import Books
from tests.seeds import SEED, times

pytestmark = pytest.mark.anyio
USED = Settlement(usage=Usage(input_uncached=10, output_text=10))


class Unsteady:
    """A broker that is away now and then, slow, and forgets to say that it took an event."""

    def __init__(self, chance):
        self.chance, self.taken, self.away = chance, [], False

    async def publish(self, event):
        await asyncio.sleep(self.chance.choice([0, 0, 0.002]))
        if self.away or self.chance.random() < 0.2:
            raise Transient("the broker is away")
        self.taken.append(event)
        if self.chance.random() < 0.4:
            raise Transient("the broker was restarted before it answered")

    def numbers(self):
        return Counter(int(event.extensions["ledgerseq"]) for event in self.taken)


class Gathering:
    """A slow broker: it takes nothing until so many events wait for it at the same time."""

    def __init__(self, count):
        self._count, self._enough, self.subjects = count, asyncio.Event(), []

    async def publish(self, event):
        self.subjects.append(event.subject)
        if len(self.subjects) >= self._count:
            self._enough.set()
        await asyncio.wait_for(self._enough.wait(), 10)


async def spend(ledger, count):
    for _ in range(count):
        call = ledger.call()
        await ledger.meter.hold(call, dispatch=True)
        await ledger.meter.settle(call.id, USED, grant=call.grant)


async def pushed(ledger):
    """Drain, and take again what was not accepted as if its time had come; true when all is."""
    stream, outbox = f"lg:{{{ledger.tenant}}}:out", ledger.parts.outbox
    with contextlib.suppress(Transient):
        await outbox.drain(ledger.tenant)
    pending = await ledger.redis.xpending_range(stream, "drain", "-", "+", 1000)
    if pending:
        await ledger.redis.execute_command(
            "XCLAIM", stream, "drain", "dead", 0, *(each["message_id"] for each in pending),
            "IDLE", 60_000)
        with contextlib.suppress(Transient):
            await outbox.claim(ledger.tenant)
    return not await ledger.redis.xpending_range(stream, "drain", "-", "+", 1)


async def test_every_event_is_published_however_unsteady_the_broker(ledger):
    broker = Unsteady(random.Random(SEED))
    ledger.parts.outbox._publisher = broker
    rounds = 0
    for n in range(times(3, 20)):
        broker.away = n == 1
        await spend(ledger, 12)
        await pushed(ledger)
    broker.away = False
    while not await pushed(ledger):
        rounds += 1
        assert rounds < 100, "the outbox does not drain"

    books = await Books.read(ledger.redis, ledger.tenant)
    assert set(broker.numbers()) == set(range(1, len(books.entries) + 1)), "gapless"
    assert max(broker.numbers().values()) > 1, "no answer was lost: the test shows nothing"
    by_number = {}
    for event in broker.taken:
        first = by_number.setdefault(event.extensions["ledgerseq"], event)
        assert (first.id, first.data) == (event.id, event.data), "a repeat is the same event"


async def test_what_a_broker_accepted_and_lost_is_read_again_by_number(ledger):
    await spend(ledger, 6)
    events = {int(e.extensions["ledgerseq"]): e for e in await ledger.drained()}
    lost = [2, 3, 5]
    arrived = {n: event for n, event in events.items() if n not in lost}
    summary = await ledger.get("/v1/summary")

    missing = set(range(1, summary["events"] + 1)) - set(arrived)
    found = [event for n in missing
             for event in (await ledger.get(f"/v1/events?from={n}&to={n}"))["events"]]

    assert missing == set(lost)
    assert sorted(event["id"] for event in found) == sorted(events[n].id for n in lost)


async def test_events_wait_through_a_restart_of_the_ledger_and_leave_in_the_first_sweep(ledger):
    ledger.broker.away = True
    await spend(ledger, 3)
    ledger.broker.away = False

    counts = await ledger.parts.background.sweep()

    assert counts["failed"] == 0
    mine = [event for event in ledger.broker.events if event.subject == ledger.tenant]
    assert len(mine) == 3  # a sweep publishes other tests' events as well


async def test_slow_broker_is_given_many_events_of_a_tenant_at_once(ledger):
    await spend(ledger, OUTBOX_POSTS_MAX)
    broker = ledger.parts.outbox._publisher = Gathering(OUTBOX_POSTS_MAX)

    assert await ledger.parts.outbox.drain(ledger.tenant) == OUTBOX_POSTS_MAX
    assert broker.subjects == [ledger.tenant] * OUTBOX_POSTS_MAX


async def test_slow_broker_makes_no_tenant_wait_for_another(ledger):
    other = replace(ledger, tenant=f"{ledger.tenant}-2")
    broker = ledger.parts.outbox._publisher = Gathering(2)
    await spend(ledger, 1)
    await spend(other, 1)
    await ledger.parts.background.start()

    async with asyncio.timeout(10):
        while len(broker.subjects) < 2:
            await asyncio.sleep(0.01)
    await ledger.parts.background.stop()
    assert {*broker.subjects} == {ledger.tenant, other.tenant}
