"""A store that an earlier release wrote, against one that has kept the same events anew.

`earlier.json` is such a store: of seven tasks, three sessions and three days, with costs without a
task and without a session. That release kept no lists of days, and no days of places.
"""

import asyncio
import json
from pathlib import Path

import pytest

from functions.costs import keys
from functions.costs.questions.question import ask
from functions.costs.questions.report import grouped
from functions.costs.store.store import CostStore, Stored
from functions.costs.store.units import unit_costs
from functions.costs.sums import recount
from shared.errors import Transient
from shared.store import connect
from tests.integration.costs.conftest import ledger_events

pytestmark = pytest.mark.anyio
EARLIER = json.loads((Path(__file__).parent / "earlier.json").read_text())
TENANT = "earlier"
ASKED = (
    {"group_by": "task,session,root"}, {"group_by": "session,day"}, {"group_by": "agent,task"},
    {"group_by": "task", "from": "2026-11-19", "to": "2026-11-20"},
    {"group_by": "task", "agent": "a-1"}, {"group_by": "day,model"}, {"group_by": "task,day",
                                                                      "session": "s-1"})


async def restored(redis):
    for name, typed in EARLIER.items():
        ((kind, value),) = typed.items()
        key = name.encode()
        if kind == "hash":
            await redis.hset(key, mapping={k: v.encode("latin-1") for k, v in value.items()})
        elif kind == "zset":
            await redis.zadd(key, value)
        elif kind == "string":
            await redis.set(key, value.encode("latin-1"))
        else:
            await (redis.sadd if kind == "set" else redis.rpush)(key, *value)


@pytest.fixture
async def both(redis_url):
    """The earlier release's store and one that is new, with the same events, in own databases."""
    clients = [connect(redis_url.removesuffix("0") + number) for number in ("8", "9")]
    for client in clients:
        await client.flushdb()
    old, new = map(CostStore, clients)
    await restored(clients[0])
    for event in await old.events(TENANT, await clients[0].hkeys(keys.raw(TENANT))):
        assert (await new.store(event))[1] is Stored.STORED
    yield old, new
    for client in clients:
        await client.flushdb()
        await client.aclose()


def later():
    """A ledger that goes on where the earlier store ends."""
    ledger = ledger_events.Ledger(tenant=TENANT)
    ledger.seq = len(EARLIER["co:{earlier}:raw"]["hash"])
    return ledger


async def answers(store):
    found = []
    for asked in ASKED:
        question = ask(asked)
        found.append([(row.of, row.sums) for row in grouped(
            question, await store.rows(TENANT, question))])
    for by in ("task,agent,session,root", "session"):
        for agent in ({}, {"agent": "a-0"}):
            question = ask({"group_by": by, "limit": "3", **agent})
            found.append(sorted((row.of["session"], row.of.get("task"), row.sums.cost_nano)
                                for row in await store.dearest(TENANT, question)))
    for asked in ({}, {"from": "2026-11-19", "to": "2026-11-20"}, {"agent": "a-0"}):
        told = await unit_costs(store, TENANT, ask({"group_by": "agent", **asked}))
        found.append({name: told[name] for name in ("tasks", "sessions", "cost_nano")})
    return found


async def test_store_of_an_earlier_release_answers_as_a_new_one(both):
    old, new = both

    assert await answers(old) == await answers(new)


@pytest.mark.parametrize("asked_before", [True, False], ids=["asked-before", "asked-after"])
async def test_events_that_come_to_a_store_of_an_earlier_release_are_in_every_answer(
        both, asked_before):
    old, new = both
    if asked_before:
        await answers(old)
    ledger = later()
    events = [ledger.attributed(f"l-{n}", cost=10**6 + n, task=task, session=session, agent=agent,
                                at=f"2026-11-{day}T12:00:00Z")
              for n, (task, session, agent, day) in enumerate((
                  ("t-1", "s-1", "a-0", 20), ("t-1", "s-1", "a-2", 21), ("t-9", "s-1", "a-0", 18),
                  ("t-10", "s-9", "a-0", 21), ("t-6", "", "a-1", 17), ("t-2", "s-2", "a-0", 22)))]

    for store in both:
        for event in events:
            await store.store(event)

    assert await answers(old) == await answers(new)
    named = await old.redis.hgetall(keys.of(TENANT, "named"))
    assert len(set(named.values())) == len(named), "a number names one place"


async def test_events_that_an_earlier_release_keeps_later_are_counted_too(both):
    old, new = both
    before = await answers(old)
    event = later().attributed("l-1", cost=5 * 10**6, task="t-1", session="s-1", agent="a-0",
                               at="2026-11-18T12:00:00Z")

    for store in both:
        await store.store(event)
    # What that release would not have written.
    await old.redis.hincrby(keys.of(TENANT, "changed"), "2026-11-18", -1)
    for name in ("place", "session"):
        await old.redis.delete(keys.dear(TENANT, name, "2026-11-18"))

    assert await answers(old) == await answers(new) != before


async def test_recount_that_was_done_is_not_done_again(both):
    old, _ = both
    await answers(old)
    await old.redis.config_resetstat()

    await answers(old)

    stats = await old.redis.info("commandstats")
    assert stats.keys().isdisjoint({"cmdstat_hscan", "cmdstat_evalsha"})


async def test_who_asks_while_others_recount_is_told_to_come_again(both):
    old, _ = both

    first, second = await asyncio.gather(
        old.dearest(TENANT, ask({"group_by": "task"})),
        CostStore(old.redis).dearest(TENANT, ask({"group_by": "task"})), return_exceptions=True)

    refused = [one for one in (first, second) if isinstance(one, Transient)]
    assert ["counted anew" in str(one) for one in refused] == [True]
    assert await old.dearest(TENANT, ask({"group_by": "task"}))


async def test_who_asks_while_others_recount_is_told_how_far_that_is(both, monkeypatch):
    old, _ = both
    monkeypatch.setattr(recount, "TOLD_EVERY_S", 0)
    count = await old.redis.hlen(keys.of(TENANT, "named"))
    places, told = recount.Recount._places, []

    async def asked_meanwhile(*given):
        with pytest.raises(Transient) as refused:
            await CostStore(old.redis).dearest(TENANT, ask({"group_by": "task"}))
        told.append(refused.value.detail.partition("update: ")[2])
        return await places(*given)

    monkeypatch.setattr(recount.Recount, "_places", asked_meanwhile)
    await old.dearest(TENANT, ask({"group_by": "task"}))

    assert told[0] == "ask again in a minute"
    done = [int(one.split(" of ")[0]) for one in told[1:]]
    assert done == sorted(set(done))
    assert 0 < done[0] < done[-1] < count
    assert all(one.startswith(f"{n} of {count} are, ask again in ")
               for n, one in zip(done, told[1:], strict=True))


async def test_recount_that_was_killed_is_begun_again(both, monkeypatch):
    old, new = both

    async def killed(*_):
        raise OSError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(type(old.places.dear._recount), "_places", killed)
        with pytest.raises(OSError, match="killed"):
            await old.dearest(TENANT, ask({"group_by": "task"}))

    assert await answers(old) == await answers(new)
