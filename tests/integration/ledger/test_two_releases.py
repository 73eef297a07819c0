"""This ledger and the release before it over one Redis: at once, rolled back, and killed.

The other one is really the other one's code: `tests/compat`. Whatever was begun by one may be
ended by the other. After every call both balances and events are compared with the reference, and
an audit of Redis alone finds nothing.
"""

import asyncio
import json
import random
from collections import Counter, defaultdict
from dataclasses import replace

import httpx2
import pytest

from functions.ledger.requests import HolderBody, ReserveBody
from shared.metering import Denied
from shared.store import connect
from tests.compat.archive import ORIGIN, contents, unpacked
from tests.compat.process import ROOT, Broker, Place, Process, serving
from tests.integration.ledger.audit import composed, faults, watching
from tests.integration.ledger.machine import settlement
from tests.integration.ledger.mixed import BEFORE, NOW, PATIENCE_S, TENANTS, Mixed, Releases
from tests.integration.ledger.reference import Spec, cost_of
from tests.redis_server import RedisServer
from tests.seeds import SEED, times
from tests.system import until

CALLS, PHASE = times(250, 3000), times(60, 800)


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Both releases, running; both write rows that both read."""
    folder = tmp_path_factory.mktemp("two")
    before = unpacked(folder / "before")
    with RedisServer(folder / "redis", appendonly="no") as server, Broker() as broker:
        place = Place(server.url, broker.url("events"), folder, TENANTS)
        processes = [Process("before", before, place, keys="earlier-keys"),
                     Process("now", ROOT, place, TOLLGATE_LEDGER_ROWS="plain")]
        try:
            yield from running(place, processes, broker)
        finally:
            for process in processes:
                process.close()


def running(place, processes, broker):
    for process in processes:
        process.start()
    with asyncio.Runner() as runner:
        redis = connect(place.redis_url, PATIENCE_S)
        runner.run(serving(processes))
        world = Releases(redis, runner.run, processes, broker, place)
        yield world
        runner.run(world.http.aclose())
        runner.run(redis.aclose())
    assert [process.bugs() for process in processes] == [[], []]


def machine(world):
    return type("Run", (Mixed,), {"world": world})()


def test_archive_is_what_it_says():
    said = json.loads(ORIGIN.read_text())

    assert contents() == {name: said[name] for name in ("commit", "files", "sha256")}


def test_two_releases_at_once_answer_and_post_as_one(two):
    chance, mixed = random.Random(SEED), machine(two)

    mixed.story(chance, [chance.choice((BEFORE, NOW)) for _ in range(CALLS)])

    assert_both_tell_the_same(two, mixed.end_all())


def test_release_that_is_rolled_back_goes_on_with_what_it_finds(two):
    chance, mixed = random.Random(SEED + 1), machine(two)

    for which in (BEFORE, NOW, BEFORE, NOW):
        two.processes[1 - which].kill()
        two.processes[which].kill()  # it remembers nothing
        two.processes[which].start()
        mixed.story(chance, [which] * PHASE)
    two.processes[BEFORE].start()

    assert_both_tell_the_same(two, mixed.end_all())


def assert_both_tell_the_same(two, books):
    """Events by number, as served by each and as published; states of every reservation."""
    ledgers = [two.of(process) for process in two.processes]
    served = [two.run(ledger.events()) for ledger in ledgers]
    assert served[BEFORE] == served[NOW]
    assert [(e["ledgerepoch"], e["ledgerseq"]) for e in served[NOW]] == [
        tuple(place.split("-")) for place, _ in books.entries]
    assert {e.id for e in composed(books)} == {e["id"] for e in served[NOW]}
    for name in books.rows:
        first, second = [two.run(ledger.read(name)) for ledger in ledgers]
        assert first == second, name
    two.run(published(two, books))


async def published(two, books):
    """Return once every event of the outbox came to the broker, each number under one id."""
    wanted = {tuple(place.split("-")) for place, _ in books.entries}

    async def came():
        stream = f"lg:{{{books.tenant}}}:out"
        for waits in await two.redis.xpending_range(stream, "drain", "-", "+", 1000):
            await two.redis.execute_command(  # a ledger that died had read it: time goes by
                "XCLAIM", stream, "drain", "dead", 0, waits["message_id"], "IDLE", 60_000)
        await two.of(two.processes[NOW]).sweep()
        return {(epoch, number) for tenant, epoch, number, _ in two.broker.events
                if tenant == books.tenant} == wanted

    await until(came, what="every event is published")
    ids = defaultdict(set)
    for tenant, *at, event_id in two.broker.events:
        if tenant == books.tenant:
            ids[tuple(at)].add(event_id)
    assert [at for at, named in ids.items() if len(named) > 1] == [], "one number, two events"


def test_killed_under_load_neither_release_loses_or_doubles_a_call(two):
    mixed, chance = machine(two), random.Random(SEED + 2)
    ledgers = [two.of(process) for process in two.processes]
    mixed.budget(NOW, "tenant", "usd", LIMIT, hard=True)
    load = Load(mixed, ledgers, chance)

    two.run(load.go(two))

    books = mixed.books()
    assert faults(books) == []
    assert books.number("tenant|" + mixed.tenant + "|life", "usd.pst") == sum(load.paid.values())
    assert sum(load.paid.values()) <= LIMIT
    states = {name: books.rows[name]["state"] for name in load.paid}
    assert set(states.values()) == {"SETTLED", "VOIDED"}
    assert load.denied.total(), "the limit was never met"
    assert_both_tell_the_same(two, books)


LIMIT = 8 * cost_of((100, 10))[0]
"""Eight of the load's calls may be open at once; by what they cost some thirty fit."""


class Load:
    """Callers at once, each call's steps at either release, while both are killed in turn."""

    def __init__(self, mixed, ledgers, chance):
        self.mixed, self.ledgers, self.chance = mixed, ledgers, chance
        self.paid, self.denied = {}, Counter()

    async def go(self, two):
        done = asyncio.Event()
        account = f"tenant|{self.mixed.tenant}|life"
        seen = asyncio.create_task(watching(
            two.redis, self.mixed.tenant, done, limits={account: {"usd": LIMIT}}))
        async with asyncio.TaskGroup() as group:
            callers = [group.create_task(self.caller(n)) for n in range(6)]
            group.create_task(self.killer(two, callers))
        done.set()
        assert await seen > 3

    async def killer(self, two, callers):
        for process, calls in zip(two.processes, (10, 25), strict=True):
            await until(lambda most=calls: len(self.paid) >= most or all(
                c.done() for c in callers), what=f"{calls} calls ended")
            process.kill()
            process.start()

    async def caller(self, n):
        for m in range(12):
            await self.call(f"c{n}-{m}", Spec("a", ("root",), 100, 10))

    async def call(self, name, spec):
        body = ReserveBody(**self.mixed.said(spec, name, 1))
        try:
            await self.answered("reserve", self.mixed.grant(spec), body)
        except Denied as error:
            self.denied[error.reason] += 1
            return
        if self.chance.random() < .2:
            found = await self.answered("end", None, name, "void", 1)
            self.paid[name] = found["charged_nano"]
            return
        await self.answered("dispatch", None, name, HolderBody(holder=1, ticket=name))
        used = settlement(self.chance.choice([(5, 5), (10, 10)]))
        first = await self.answered("settle", None, name, used)
        second = await self.answered("settle", None, name, used)
        assert (second["total_nano"], second["replayed"]) == (first["total_nano"], True)
        self.paid[name] = first["total_nano"]

    async def answered(self, how, *what):
        """Ask either until one answers: a process that is killed answers nobody."""
        for _ in range(20):
            try:
                return await getattr(self.chance.choice(self.ledgers), how)(*what)
            except httpx2.TransportError:
                continue
        raise AssertionError(f"{how} of {what} was never answered")


def test_what_only_this_release_knows_breaks_no_books_of_the_other(two):
    mixed = machine(two)
    before, now = mixed.ledgers
    spec = Spec("a", ("root",), 10, 10)

    def bodies(*names):
        return [ReserveBody(**mixed.said(spec, name, 1)) for name in names]

    held = two.run(now.reserve_each(mixed.grant(spec), bodies("b0", "b1", "b2")))
    two.run(now.keyed("PUT", "/v1/stops/agent/a", {"reason": "a test"}))
    stopped = mixed.told(now.reserve(mixed.grant(spec), *bodies("s0")), dict)
    passing = two.run(before.settle(None, "b0", settlement((5, 5))))
    two.run(now.keyed("DELETE", "/v1/stops/agent/a"))
    two.run(now.keyed("POST", "/v1/budgets:apply", {"text": FILE.format(tenant=mixed.tenant)}))
    denied = mixed.told(before.reserve(mixed.grant(spec), *bodies("s1")), dict)

    assert [each["state"] for each in held] == ["PENDING"] * 3
    assert stopped[-1] == "stopped"
    assert (passing["state"], passing["total_nano"]) == ("SETTLED", cost_of((5, 5))[0])
    assert denied[1:3] == ("tenant", "calls")
    for name, release in (("b1", before), ("b2", now)):
        two.run(release.end(None, name, "void", 1))
    books = mixed.books()
    assert faults(books) == []
    assert_both_tell_the_same(two, books)


FILE = """version: 1
tenants:
  {tenant}:
    budgets:
      - scope: tenant
        calls: 1
"""


def test_packed_rows_wait_for_a_ledger_that_reads_them(two, tmp_path):
    mixed = machine(two)
    before, _ = mixed.ledgers
    place = replace(two.place, folder=tmp_path)
    packing = Process("packing", ROOT, place)
    packing.start()
    spec = Spec("a", ("root",), 10, 10)
    try:
        now = two.of(packing)
        two.run(now.reserve(mixed.grant(spec), ReserveBody(**mixed.said(spec, "r0", 1))))
        two.run(before.reserve(mixed.grant(spec), ReserveBody(**mixed.said(spec, "r1", 1))))
        two.run(now.settle(None, "r0", settlement((5, 5))))
        books = mixed.books()

        with pytest.raises(AssertionError, match="before: 500"):
            two.run(before.settle(None, "r0", settlement((5, 5))))
        assert ["JSONDecodeError" in bug for bug in two.processes[BEFORE].bugs()] == [True]

        again = two.run(now.settle(None, "r0", settlement((5, 5))))
        assert mixed.books() == books
        assert (again["replayed"], again["total_nano"]) == (True, cost_of((5, 5))[0])
        assert two.run(before.settle(None, "r1", settlement((5, 5))))["state"] == "SETTLED"
        two.run(published(two, mixed.books()))
    finally:
        packing.close()
