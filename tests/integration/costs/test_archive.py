"""The archive on S3's protocol: killed anywhere, no event is lost, doubled or changed."""

import asyncio
import io
import json
import signal
import sys
from datetime import UTC, datetime

import pytest
from botocore.response import StreamingBody

from functions.costs.archive.archive import Archive, due, move_due
from functions.costs.archive.objects import Bucket
from functions.costs.archive.parquet import decoded, encoded
from functions.costs.events.facts import read
from functions.costs.questions.question import DIMENSIONS, ask
from functions.costs.questions.ranges import Span
from functions.costs.questions.report import grouped
from functions.costs.store.spans import between
from functions.costs.store.store import CostStore, Stored
from shared.errors import TollgateError, Transient
from tests.integration.costs import archiver
from tests.storage import CREDENTIALS, Storage

pytestmark = pytest.mark.anyio
SPAN = {"from": "2026-08-01", "to": "2026-12-01"}


@pytest.fixture(scope="module")
def s3():
    with pytest.MonkeyPatch.context() as patch, Storage("127.0.0.1") as storage:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        yield storage


class Faulty:
    """Object storage that fails once at one point."""

    def __init__(self, objects, point):
        self._objects, self.point = objects, point

    def _fails(self, point):
        if self.point == point:
            self.point = None
            raise Transient(f"killed {point}")

    async def put(self, name, data):
        self._fails("before put")
        await self._objects.put(name, data[: len(data) // 2] if self.point == "torn" else data)
        self._fails("after put")

    async def get(self, name):
        self._fails("before get")
        if self.point == "torn":
            self.point = None
            raise Transient("torn")
        return await self._objects.get(name)


@pytest.fixture
def made(redis, s3):
    def make(point=None):
        archive = Archive(redis, Faulty(Bucket(s3.bucket, s3.url), point))
        return CostStore(redis, archive=archive), archive

    return make


def several(ledger, start=0, month="09"):
    return [ledger.attributed(f"r-{n}", cost=100 + n, task=f"t-{n % 5}", session=f"s-{n % 2}",
                              at=f"2026-{month}-0{1 + n % 3}T0{n % 7}:30:00Z")
            for n in range(start, start + 40)]


async def state(store, tenant):
    """Everything that can be asked."""
    answers = {}
    for by in DIMENSIONS:
        if by != "hour":
            question = ask({"group_by": by, **SPAN})
            answers[by] = [(r.of, r.sums)
                           for r in grouped(question, await store.rows(tenant, question))]
    cut = ask({"from": "2026-09-01T03:15:00Z", "to": "2026-09-02T04:31:00Z"})
    answers["cut"] = [(r.of, r.sums) for r in grouped(cut, await store.rows(tenant, cut))]
    answers["events"] = sorted([(e.id, str(e.json()))
                                async for e in between(store, tenant, Span())])
    answers["task"] = sorted(e.id for e in await store.of_task(tenant, "t-1"))
    answers["gaps"] = await store.checks(tenant)
    return answers


POINTS = [None, "before put", "after put", "before get", "torn"]


@pytest.mark.parametrize("point", POINTS, ids=str)
async def test_killed_anywhere_the_archive_changes_no_answer(made, ledger, redis, point):
    store, archive = made(point)
    for event in several(ledger):
        await store.store(event)
    tenant = ledger.tenant
    before, days = await state(store, tenant), await store.days(tenant)

    if point:
        with pytest.raises(Transient):
            await move_due(archive, store, tenant, days)
        assert await state(store, tenant) == before
    moved = await move_due(archive, store, tenant, days)

    assert moved == 40
    assert await state(store, tenant) == before
    assert set(await redis.hvals(f"co:{{{tenant}}}:raw")) == {"-"}
    assert sum(held["events"] for held in (await archive.noted(tenant)).values()) == 40
    assert await move_due(archive, store, tenant, days) == 0


@pytest.mark.parametrize("point", archiver.POINTS)
async def test_archiver_killed_between_writing_and_letting_go_loses_nothing(
        made, ledger, redis_url, s3, point):
    store, archive = made()
    for event in several(ledger):
        await store.store(event)
    tenant = ledger.tenant
    before = await state(store, tenant)

    killed = await asyncio.create_subprocess_exec(
        sys.executable, "-m", archiver.__name__, point, redis_url, s3.url, s3.bucket, tenant)
    assert await asyncio.wait_for(killed.wait(), 60) == -signal.SIGKILL

    assert await state(store, tenant) == before
    noted = sum(held["events"] for held in (await archive.noted(tenant)).values())
    assert (noted > 0) == (point == "after script")
    assert await move_due(archive, store, tenant, await store.days(tenant)) == 40 - noted
    assert await state(store, tenant) == before
    assert await archive.difference(tenant, Span()) == 0


async def test_archived_event_that_comes_again_is_a_duplicate(made, ledger):
    store, archive = made()
    events = several(ledger)
    for event in events:
        await store.store(event)
    await move_due(archive, store, ledger.tenant, await store.days(ledger.tenant))
    before = await state(store, ledger.tenant)

    outcomes = {(await store.store(event))[1] for event in events}

    assert outcomes == {Stored.DUPLICATE}
    assert await state(store, ledger.tenant) == before


@pytest.mark.parametrize("at_once", [1, 7, 100])
async def test_hours_and_tasks_are_read_out_of_any_row_groups(ledger, monkeypatch, at_once):
    monkeypatch.setattr("functions.costs.archive.parquet.AT_ONCE", at_once)
    events = several(ledger)
    file = encoded(events)

    for column in ("hour", "task"):
        by_value = {}
        for event in events:
            by_value.setdefault(getattr(read(event), column), []).append(event.id)
        assert {value: [one.id for one in decoded(file, **{column: value})]
                for value in by_value} == by_value
    assert [one.json() for one in decoded(file)] == [one.json() for one in events]
    assert list(decoded(file, hour="2026-01-01T00")) == []


async def test_events_that_move_while_they_are_read_are_read_once(made, ledger, monkeypatch):
    monkeypatch.setattr("functions.costs.store.store.READ_BATCH", 5)
    store, archive = made()
    for n in range(40):
        await store.store(ledger.attributed(f"r-{n}", at=f"2026-09-01T03:{n:02}:00Z"))
    found = []

    async for event in between(store, ledger.tenant, Span()):
        found.append(event.id)
        if len(found) == 3:
            moved = await move_due(archive, store, ledger.tenant, await store.days(ledger.tenant))

    assert moved == 40
    assert sorted(found) == sorted(f"r-{n}" for n in range(40))


async def test_late_event_of_an_archived_day_counts_and_is_archived_next(made, ledger):
    store, archive = made()
    for event in several(ledger):
        await store.store(event)
    days = await store.days(ledger.tenant)
    await move_due(archive, store, ledger.tenant, days)
    await store.store(ledger.adjusted("r-1", delta=-50, at="2026-09-02T01:45:00Z", task="t-1"))
    before = await state(store, ledger.tenant)

    assert await move_due(archive, store, ledger.tenant, days) == 1
    assert await state(store, ledger.tenant) == before
    assert len(before["events"]) == 41


async def test_object_that_reads_back_otherwise_lets_nothing_go(made, ledger, redis):
    store, archive = made()
    await store.store(ledger.attributed("r-1", at="2026-09-01T00:00:00Z"))
    other = await archive.next_batch(ledger.tenant, "2026-09-01", store)
    await store.store(ledger.attributed("r-2", at="2026-09-01T00:00:00Z"))

    async def wrong(name):
        from functions.costs.archive.parquet import encoded

        return encoded(other.events)

    archive._objects.get = wrong
    with pytest.raises(TollgateError, match="reads back otherwise"):
        await move_due(archive, store, ledger.tenant, ["2026-09-01"])

    assert await archive.noted(ledger.tenant) == {}
    assert len(await store.events(ledger.tenant, ["r-1", "r-2"])) == 2


async def test_damaged_object_is_named(made, ledger):
    store, archive = made()
    await store.store(ledger.attributed("r-1", at="2026-09-01T00:00:00Z"))
    await move_due(archive, store, ledger.tenant, ["2026-09-01"])
    (name,) = await archive.noted(ledger.tenant)
    await archive._objects.put(name, b"PAR1 and then nothing")

    with pytest.raises(TollgateError, match=f"{name} is damaged"):
        await store.of_task(ledger.tenant, "t-1")


async def test_object_that_ends_in_its_middle_is_transient():
    class Client:
        def get_object(self, **_):
            return {"Body": StreamingBody(io.BytesIO(b"half"), content_length=8)}

    bucket = Bucket("costs")
    bucket.__dict__["_client"] = Client()

    with pytest.raises(Transient, match="costs/a-name: "):
        await bucket.get("a-name")


async def test_denials_and_corrections_are_listed_newest_first_wherever_they_are(made, ledger):
    store, archive = made()
    tenant = ledger.tenant
    for event in several(ledger):
        await store.store(event)
    for n in range(6):
        await store.store(ledger.denied(f"r-{n}", at=f"2026-09-0{3 - n % 3}T0{n}:00:00Z"))
    await store.store(ledger.denied("r-10", at="2026-10-01T00:00:00Z"))
    newest = ["r-10:denied", *(f"r-{n}:denied" for n in (3, 0, 4, 1, 5, 2))]

    moved = await move_due(archive, store, tenant, ["2026-09-01", "2026-09-02", "2026-09-03"])

    assert moved == 46
    assert [e.id for e in await store.recent(tenant, "denied", 9)] == newest[:1]
    for most in range(1, 9):
        assert [e.id for e in await store.latest(tenant, "denied", most)] == newest[:most]
    assert await store.latest(tenant, "adjusted", 9) == []


async def test_objects_without_a_kind_are_not_read_for_it(made, ledger, redis):
    store, archive = made()
    for event in [*several(ledger), ledger.denied("r-50", at="2026-09-01T02:00:00Z")]:
        await store.store(event)
    await move_due(archive, store, ledger.tenant, await store.days(ledger.tenant))
    noted = await archive.noted(ledger.tenant)
    (holds,) = [name for name, held in noted.items() if "denied" in held["kinds"]]
    asked, get = [], archive._objects.get

    async def counted(name):
        asked.append(name)
        return await get(name)

    archive._objects.get = counted

    assert len(noted) == 3
    assert [e.id for e in await archive.latest(ledger.tenant, "denied", 5)] == ["r-50:denied"]
    assert asked == [holds]

    for name, held in noted.items():  # as an earlier release noted them
        del held["kinds"]
        await redis.hset(f"co:{{{ledger.tenant}}}:archive", name, json.dumps(held))
    assert [e.id for e in await archive.latest(ledger.tenant, "denied", 5)] == ["r-50:denied"]
    assert set(asked) == set(noted)


async def test_two_archivers_at_once_move_each_event_once(made, ledger):
    (store, one), (_, two) = made(), made()
    for event in several(ledger):
        await store.store(event)
    days = await store.days(ledger.tenant)
    before = await state(store, ledger.tenant)

    await asyncio.gather(*(move_due(each, store, ledger.tenant, days) for each in (one, two)))
    await move_due(one, store, ledger.tenant, days)

    assert await state(store, ledger.tenant) == before


async def test_storage_that_is_away_is_transient(free_port, redis, ledger, s3):
    store = CostStore(redis)
    await store.store(ledger.attributed("r-1", at="2026-09-01T00:00:00Z"))
    archive = Archive(redis, Bucket("nowhere", s3.url))

    with pytest.raises(Transient, match="nowhere"):
        await move_due(archive, store, ledger.tenant, ["2026-09-01"])


def test_months_are_due_once_they_ended_long_enough_ago():
    days = ["2026-07-31", "2026-08-01", "2026-10-31", "2026-11-01"]
    now = datetime(2026, 11, 21, tzinfo=UTC)

    assert due(days, 3, now) == ["2026-07-31"]
    assert due(days, 0, now) == days[:3]
