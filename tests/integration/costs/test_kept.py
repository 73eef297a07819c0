"""Sums of any zone, read once for several questions and remembered, against the events."""

import asyncio
import random

import pytest

from functions.costs import keys
from functions.costs.events.facts import read
from functions.costs.questions.buckets import named
from functions.costs.questions.question import ask
from functions.costs.questions.report import grouped
from functions.costs.questions.rows import Row
from functions.costs.store.store import CostStore
from functions.costs.sums import kept
from functions.costs.sums.kept import KeptSums

pytestmark = pytest.mark.anyio
SPAN = {"from": "2026-10-20", "to": "2026-11-06"}
"""Summer time ends in it: on 25 October in Europe, on 1 November in America."""


async def stored(store, ledger, count=120):
    chance, events = random.Random(7), []
    for n in range(count):
        day = chance.choice(["2026-10-24", "2026-10-25", "2026-10-26", "2026-10-31", "2026-11-01",
                             "2026-11-02"])
        events.append(ledger.attributed(
            f"r-{n}", cost=chance.randrange(10**6), agent=chance.choice("ab"),
            at=f"{day}T{chance.randrange(24):02}:{chance.randrange(60):02}:00Z"))
        await store.store(events[-1])
    return events


def recomputed(event, zone):
    fact = read(event)
    buckets = {name: named(name, fact.hour, zone) for name in ("day", "week", "month", "hour")}
    return Row({**fact.row.of, **buckets}, fact.sums)


def told(rows):
    return [(row.of, row.sums.cost_nano, row.sums.invocations) for row in rows]


async def test_buckets_of_any_zone_equal_those_of_the_events(store, ledger):
    events = await stored(store, ledger)

    for zone in ("UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo", "Pacific/Auckland",
                 "Pacific/Kiritimati", "Pacific/Pago_Pago"):
        for by in ("day", "week,agent", "month", "day,month,agent", "hour"):
            for cut in ({}, {"from": "2026-10-24T22:00:00Z", "to": "2026-11-01T23:00:00Z"}):
                question = ask({"group_by": by, "tz": zone, **SPAN, **cut, "agent": "a"})
                found = grouped(question, await store.rows(ledger.tenant, question))
                inside = [e for e in events if question.span.holds(read(e).at_ms)]
                again = grouped(question, [recomputed(e, zone) for e in inside])
                assert told(found) == told(again), (zone, by, cut)


async def test_several_questions_of_one_reading_are_answered_as_each_alone(store, ledger):
    await stored(store, ledger, 100)
    questions = [ask({"group_by": by, **SPAN, "measures": measures}) for by, measures in (
        ("day,agent", "cost_nano"), ("agent", "reserved_nano,cost_nano"), ("week", "tokens"))]

    together = await store.rows_of(ledger.tenant, questions)

    for question, rows in zip(questions, together, strict=True):
        alone = grouped(question, await store.rows(ledger.tenant, question))
        assert told(grouped(question, rows)) == told(alone)


async def test_what_is_remembered_is_read_again_once_an_event_has_come(store, ledger, redis):
    other = CostStore(redis)
    for by, zone in (("day", "UTC"), ("month", "UTC"), ("day", "Europe/Berlin"), ("hour", "UTC")):
        question = ask({"group_by": by, "tz": zone, **SPAN})
        before = sum(row.sums.cost_nano for row in await store.rows(ledger.tenant, question))

        await other.store(ledger.attributed(f"{by}-{zone}", cost=5, at="2026-10-25T23:10:00Z"))

        rows = await store.rows(ledger.tenant, question)
        assert sum(row.sums.cost_nano for row in rows) == before + 5


async def test_day_that_did_not_change_is_read_once(store, ledger, redis):
    await stored(store, ledger, 20)
    question = ask({"group_by": "day", "tz": "Europe/Berlin", **SPAN})
    first = told(await store.rows(ledger.tenant, question))
    await redis.config_resetstat()

    assert told(await store.rows(ledger.tenant, question)) == first
    stats = await redis.info("commandstats")
    assert stats["cmdstat_hgetall"]["calls"] <= 5  # versions alone, once per round


async def test_remembered_amounts_stay_bounded(store, ledger, monkeypatch):
    monkeypatch.setattr(kept, "AMOUNTS_CACHED_MAX", 10)
    await stored(store, ledger, 40)
    question = ask({"group_by": "day", **SPAN})

    rows = told(await store.rows(ledger.tenant, question))

    assert store.kept._cache._count <= 10
    assert told(await store.rows(ledger.tenant, question)) == rows


BERLIN = {"group_by": "day,agent", "tz": "Europe/Berlin", "measures": "reserved_nano,cost_nano"}


async def hashes_read(redis, store, tenant):
    """How many hashes of Redis a question takes, beside the versions of days."""
    await redis.config_resetstat()
    await store.rows(tenant, ask({**BERLIN, **SPAN}))
    return (await redis.info("commandstats"))["cmdstat_hgetall"]["calls"]


async def test_other_process_reads_texts_of_days_that_are_over(store, ledger, redis):
    await stored(store, ledger)
    question = ask({**BERLIN, **SPAN})
    first = await hashes_read(redis, store, ledger.tenant)

    assert await hashes_read(redis, CostStore(redis), ledger.tenant) <= 5 < first
    assert told(await CostStore(redis).rows(ledger.tenant, question)) == told(
        await store.rows(ledger.tenant, question))


@pytest.mark.parametrize("is_versioned", [True, False], ids=["this-release", "earlier-release"])
async def test_late_event_makes_texts_of_its_day_void(store, ledger, redis, is_versioned):
    events = await stored(store, ledger)
    question = ask({**BERLIN, **SPAN})
    await store.rows(ledger.tenant, question)

    events.append(ledger.attributed("late", cost=77, agent="a", at="2026-10-25T23:10:00Z"))
    await store.store(events[-1])
    if not is_versioned:  # it counts events of a day nowhere
        await redis.hincrby(keys.of(ledger.tenant, "changed"), "2026-10-25", -1)

    for reader in (CostStore(redis), store, CostStore(redis)):
        found = grouped(question, await reader.rows(ledger.tenant, question))
        assert told(found) == told(grouped(question, [
            recomputed(event, "Europe/Berlin") for event in events]))


async def test_today_is_not_packed(store, ledger, redis):
    await stored(store, ledger)
    at = 1_793_620_800  # 2026-11-02T12:00Z
    reader = KeptSums(redis, lambda: at)

    await reader.rows(ledger.tenant, ask({"group_by": "hour", **SPAN}),
                      await store.days(ledger.tenant))
    await reader.rows(ledger.tenant, ask({"group_by": "month"}), await store.days(ledger.tenant))

    names = await redis.hkeys(keys.of(ledger.tenant, "packed"))
    assert {"sum:2026-10", "sum:2026-11-01T23"} <= set(names)
    assert not [name for name in names if name.startswith(("sum:2026-11-02", "sum:2026-11"))
                and not name.startswith("sum:2026-11-01")]


async def test_timer_packs_the_last_days_for_whoever_asks_first(store, ledger, redis):
    await stored(store, ledger)

    await store.kept.pack(ledger.tenant, await store.days(ledger.tenant))

    names = await redis.hkeys(keys.of(ledger.tenant, "packed"))
    assert {name[:14] for name in names if name.startswith("sum:")} == {
        "sum:2026-10-31", "sum:2026-11-01", "sum:2026-11-02"}
    assert len(names) == 3 * 25 * 2


async def test_sums_are_told_while_redis_takes_no_writes(store, ledger, redis):
    await stored(store, ledger)
    question = ask({**BERLIN, **SPAN})
    await redis.config_set("min-replicas-to-write", "1")
    try:
        rows = told(await store.rows(ledger.tenant, question))
    finally:
        await redis.config_set("min-replicas-to-write", "0")

    assert rows
    assert rows == told(await CostStore(redis).rows(ledger.tenant, question))


async def test_tenants_asked_about_long_ago_are_forgotten_and_read_again(
        store, ledger, redis, monkeypatch):
    monkeypatch.setattr(kept, "ROWS_KNOWN_MAX", 3)
    other = type(ledger)(tenant=f"{ledger.tenant}-other")
    for one in (ledger, other):
        await stored(store, one, 10)
    asked = CostStore(redis)
    question = ask({"group_by": "agent", **SPAN})

    for _ in range(2):
        for one in (ledger, other):
            told_now = grouped(question, await asked.rows(one.tenant, question))
            assert told(told_now) == told(grouped(question, await store.rows(
                one.tenant, question)))

    assert [*asked.kept._known] == [other.tenant]
    together = await asyncio.gather(*(
        asked.rows(one.tenant, question) for one in (ledger, other) * 8))
    assert {len(rows) for rows in together} == {2}
