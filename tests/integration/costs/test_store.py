import asyncio
import random

import pytest

from functions.costs import keys
from functions.costs.events.facts import read
from functions.costs.events.sequence import CHUNK_BITS, Range
from functions.costs.questions.buckets import named
from functions.costs.questions.dimensions import MEASURES
from functions.costs.questions.question import DIMENSIONS, ask
from functions.costs.questions.report import grouped
from functions.costs.questions.rows import Row, Sums, total
from functions.costs.store.store import CostStore, Stored
from shared.errors import Malformed, TollgateError
from shared.store import Unavailable, connect

pytestmark = pytest.mark.anyio


async def kept(store, ledger, **parameters):
    question = ask({k.rstrip("_"): v for k, v in parameters.items()})
    return grouped(question, await store.rows(ledger.tenant, question))


async def test_event_is_stored_once_however_often_it_comes(store, ledger):
    event = ledger.attributed("r-1", cost=1500)

    outcomes = [outcome for _, outcome in await asyncio.gather(
        *(store.store(event) for _ in range(8)))]

    assert sorted(outcomes) == [Stored.DUPLICATE] * 7 + [Stored.STORED]
    assert total(await kept(store, ledger, group_by="agent")) == Sums(1500, 1, 120)
    counts = await store.counts(ledger.tenant)
    assert counts == {"events": 1, "conflicts": 0, "duplicates:1": 7, "unpriced": 1}
    assert len(await store.of_task(ledger.tenant, "t-1")) == 1


@pytest.mark.parametrize(("sums", "measure"), [
    (("total",), "cost_nano"), (("total",), "tokens"),
    (("more", "2026-11"), "reserved_nano"), (("more", "2026-11"), "input_tokens")], ids=str)
async def test_sum_near_its_end_takes_nothing_and_changes_nothing(
        store, ledger, redis, sums, measure):
    await store.store(ledger.attributed("r-1"))
    letter, of = MEASURES[measure], keys.of(ledger.tenant, *sums)
    (field,) = [f for f in await redis.hkeys(of) if letter in (f[0], f[-1])]
    await redis.hset(of, field, 9 * 10**18)
    before = await dumped(redis, ledger.tenant)

    with pytest.raises(TollgateError, match="is near 2"):
        await store.store(ledger.attributed("r-2"))

    assert await dumped(redis, ledger.tenant) == before


async def dumped(redis, tenant):
    """Return every key of a tenant with its contents."""
    found = {}
    async for key in redis.scan_iter(f"co:{{{tenant}}}:*"):
        found[key] = await redis.execute_command("DUMP", key, NEVER_DECODE=True)
    return found


SPAN = {"from_": "2026-11-18", "to_": "2026-11-23"}


def many(ledger, count, seed):
    chance = random.Random(seed)
    return [ledger.attributed(
        f"r-{n}", cost=chance.randrange(10**12), tokens=(chance.randrange(5000), n),
        tool=chance.choice([None, "calculator", "reader"]), agent=chance.choice(["a", "b"]),
        model=chance.choice(["small", "large"]), task=f"t-{n % 7}", session=f"s-{n % 3}",
        at=f"2026-11-{chance.randrange(18, 22)}T{chance.randrange(24):02}:30:00.250Z")
        for n in range(count)]


@pytest.mark.parametrize("seed", range(3))
async def test_duplicates_and_disorder_change_no_sum_in_any_dimension(store, ledger, seed):
    events = many(ledger, 60, seed)
    deliveries = events * 2
    random.Random(seed).shuffle(deliveries)
    await asyncio.gather(*(store.store(event) for event in deliveries))

    costs = [e.json()["cost"]["total_nano"] for e in events]
    for dimension in DIMENSIONS:
        found = total(await kept(store, ledger, group_by=dimension, **SPAN))
        assert found.cost_nano == sum(costs), dimension
    by_task = {r.of["task"]: r.sums.cost_nano for r in await kept(store, ledger, group_by="task")}
    assert by_task["t-3"] == sum(costs[3::7])
    (check,) = await store.checks(ledger.tenant)
    assert (check.count, check.last, check.missing) == (60, 60, ())


async def test_correction_lowers_the_sums_it_corrects(store, ledger):
    await store.store(ledger.attributed("r-1", cost=1000))
    await store.store(ledger.adjusted("r-1", delta=-300))

    (row,) = await kept(store, ledger, group_by="task,model")

    assert row.of == {"task": "t-1", "model": "scripted/small"}
    assert row.sums == Sums(700, 1, 120)


async def test_any_span_equals_the_sum_of_its_events(store, ledger):
    events = many(ledger, 40, 9)
    for event in events:
        await store.store(event)

    for start, end in [("2026-11-19T12:00:00Z", "2026-11-21T03:00:00Z"),
                       ("2026-11-19", "2026-11-20"), ("2026-11-20T11:00:00+01:00", None)]:
        limits = {"from_": start} | ({"to_": end} if end else {})
        span = ask({k.rstrip("_"): v for k, v in limits.items()}).span
        inside = [e for e in events if span.holds(_ms(e.time))]
        for by in ("agent", "task"):
            found = total(await kept(store, ledger, group_by=by, **limits))
            assert found.cost_nano == sum(e.json()["cost"]["total_nano"] for e in inside)
            assert found.invocations == len(inside)


def _ms(text):
    from datetime import datetime

    return int(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize("by", [
    "agent,kind,tool,model,hour", "session,task,root,day", "task,hour", "outcome,month",
    "revision,env,provider,week", "agent_version,parent_agent,day"])
async def test_kept_sums_equal_sums_computed_again_from_the_events(store, ledger, by):
    events = many(ledger, 60, 4)
    for event in events:
        await store.store(event)
    question = ask({"group_by": by, "from": "2026-11-18", "to": "2026-11-23",
                    "measures": ",".join(MEASURES)})

    found = grouped(question, await store.rows(ledger.tenant, question))

    again = grouped(question, [recomputed(event) for event in events])
    assert [(r.of, r.sums, _nonzero(r)) for r in found] == [
        (r.of, r.sums, _nonzero(r)) for r in again]


def recomputed(event):
    fact = read(event)
    buckets = {name: named(name, fact.hour, "UTC") for name in ("hour", "day", "week", "month")}
    return Row({**fact.row.of, **buckets}, fact.sums)


def _nonzero(row):
    return {name: n for name, n in row.sums.more.items() if n}


async def test_missing_numbers_are_named_and_filled(store, ledger):
    events = [ledger.attributed(f"r-{n}") for n in range(10)]
    for event in (*events[:3], *events[5:8], events[9]):
        await store.store(event)

    (check,) = await store.checks(ledger.tenant)
    assert check.missing == (Range(4, 5), Range(9, 9))
    assert (check.first, check.last, check.count) == (1, 10, 7)

    for event in (*events[3:5], events[8]):
        await store.store(event)
    assert (await store.checks(ledger.tenant))[0].missing == ()


async def test_number_of_a_duplicate_is_recorded(store, ledger):
    await store.store(ledger.attributed("r-1"))
    again = ledger.attributed("r-1")

    _, outcome = await store.store(again)

    assert outcome is Stored.DUPLICATE
    (check,) = await store.checks(ledger.tenant)
    assert (check.last, check.missing) == (2, ())


async def test_number_under_two_event_ids_is_a_conflict_and_both_count(store, ledger):
    await store.store(ledger.attributed("r-1", cost=5))
    ledger.seq = 0

    _, outcome = await store.store(ledger.attributed("r-2", cost=6))

    assert outcome is Stored.CONFLICT
    assert await store.conflicts(ledger.tenant) == ["1 1 r-2"]
    assert total(await kept(store, ledger)).cost_nano == 11


async def test_epochs_are_checked_apart(store, ledger):
    await store.store(ledger.attributed("r-1"))
    ledger.epoch, ledger.seq = "2", 1
    await store.store(ledger.attributed("r-2"))

    checks = {c.epoch: c.missing for c in await store.checks(ledger.tenant)}

    assert checks == {"1": (), "2": (Range(1, 1),)}


async def test_number_far_off_takes_one_chunk(store, ledger, redis):
    ledger.seq = 2**40
    await store.store(ledger.attributed("r-1"))

    chunk = (2**40 + 1) // CHUNK_BITS
    assert await redis.strlen(keys.numbers(ledger.tenant, "1", chunk)) <= CHUNK_BITS // 8
    assert (await store.checks(ledger.tenant))[0].missing == (Range(1, 2**40),)


async def test_sums_stay_exact_above_2_to_the_53(store, ledger):
    for n in range(5):
        await store.store(ledger.attributed(f"r-{n}", cost=2**53 - 101))

    for by in ("agent", "task", "hour"):
        assert total(await kept(store, ledger, group_by=by, **SPAN)).cost_nano == 5 * (2**53 - 101)
    assert (await store.totals(ledger.tenant))["researcher"].cost_nano == 5 * (2**53 - 101)


async def test_sum_near_2_to_the_63_writes_nothing(store, ledger, redis):
    await store.store(ledger.attributed("r-1", cost=1))
    await redis.hset(keys.total(ledger.tenant), "c researcher", 10**18)

    with pytest.raises(TollgateError):
        await store.store(ledger.attributed("r-2", cost=1))

    assert total(await kept(store, ledger)).cost_nano == 1
    assert (await store.counts(ledger.tenant))["events"] == 1
    assert (await store.checks(ledger.tenant))[0].last == 1


async def test_refused_event_writes_nothing(store, ledger, redis):
    event = ledger.attributed("r-1").extended(ledgerseq="0")

    with pytest.raises(Malformed):
        await store.store(event)

    assert await redis.keys(f"co:{{{ledger.tenant}}}:*") == []


async def test_tenants_do_not_see_each_other(store, ledger):
    await store.store(ledger.attributed("r-1"))

    assert await store.of_task("costs-nobody", "t-1") == []
    assert await store.events("costs-nobody", ["r-1"]) == []


async def test_denials_come_newest_first(store, ledger):
    for n in range(3):
        await store.store(ledger.denied(f"r-{n}"))

    found = await store.latest(ledger.tenant, "denied", 2)

    assert [e.id for e in found] == ["r-2:denied", "r-1:denied"]


async def test_agent_totals_follow_every_event(store, ledger):
    await store.store(ledger.attributed("r-1", cost=5))

    await store.store(ledger.attributed("r-2", cost=7))

    assert await store.totals(ledger.tenant) == {"researcher": Sums(12, 2, 240)}


async def test_redis_away_is_unavailable(free_port, ledger):
    away = connect(f"redis://127.0.0.1:{free_port}/0")
    with pytest.raises(Unavailable):
        await CostStore(away).store(ledger.attributed("r-1"))
    await away.aclose()


async def test_event_takes_bounded_memory(store, ledger, redis):
    first, *events = many(ledger, 201, 1)
    await store.store(first)  # a server that is new keeps the script, too
    before = (await redis.info("memory"))["used_memory_dataset"]
    for event in events:
        await store.store(event)

    grown = (await redis.info("memory"))["used_memory_dataset"] - before
    assert grown / len(events) < 1_200
