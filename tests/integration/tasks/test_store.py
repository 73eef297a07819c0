import asyncio
import json
from dataclasses import replace
from uuid import uuid4

import pytest

from eventing.task_ending import Past, ended
from eventing.task_events import stored, submitted
from shared.errors import Busy
from shared.tasks import keys
from shared.tasks.claims import Claims, Committed, Fenced
from shared.tasks.contract import Status
from shared.tasks.overdue import Overdue
from shared.tasks.reading import Query, Reader
from shared.tasks.state import StepRecord
from shared.tasks.store import Commit, Entry, Tasks
from tests.states import NOW, call, state

pytestmark = pytest.mark.anyio


@pytest.fixture
def tenant():
    return f"t-{uuid4().hex[:12]}"


@pytest.fixture
def tasks(redis):
    return Tasks(redis)


async def submit(tasks, of):
    event, = stored([submitted(of)])
    return await tasks.submit(of, event, due_at=NOW + 5)


async def test_submitted_twice_is_one_task_with_one_unpublished_event(tasks, tenant):
    first = await submit(tasks, state(tenant=tenant))
    again = await submit(tasks, state(tenant=tenant, created_at=NOW + 9))

    assert first == again
    seen = await tasks.look(tenant, "t1")
    assert len(seen.outbox) == 1
    assert seen.version == 1


async def test_result_is_written_once_and_only_if_the_task_waits_for_it(tasks, tenant):
    await submit(tasks, state(tenant=tenant))
    seen = await tasks.look(tenant, "t1")
    waiting = seen.state.but(step=1, calls=(call(call_id="a"), call(call_id="b")))
    await tasks.commit(Commit(before=seen, state=waiting, due_at=NOW, awaited=["a", "b"]))

    await tasks.result(tenant, "t1", "a", json.dumps({"result": 1}))
    await tasks.result(tenant, "t1", "a", json.dumps({"result": 2}))
    seen = await tasks.result(tenant, "t1", "stranger", json.dumps({"result": 3}))

    assert seen.results == {"a": {"result": 1}}
    assert seen.missing == ("b",)


async def test_eight_results_at_once_are_all_in_and_one_delivery_sees_none_missing(tasks, tenant):
    await submit(tasks, state(tenant=tenant))
    seen = await tasks.look(tenant, "t1")
    calls = tuple(call(call_id=f"c{n}") for n in range(8))
    await tasks.commit(Commit(before=seen, state=seen.state.but(step=1, calls=calls), due_at=NOW,
                              awaited=[c.call_id for c in calls]))

    found = await asyncio.gather(*(
        tasks.result(tenant, "t1", f"c{n}", json.dumps({"result": n})) for n in range(8)))

    assert min(len(s.missing) for s in found) == 0
    assert len((await tasks.look(tenant, "t1")).results) == 8


async def test_cancel_before_the_task_leaves_a_tombstone_that_the_task_meets(tasks, tenant):
    assert await tasks.cancel(tenant, "t1", "too late") is None

    await submit(tasks, state(tenant=tenant))

    assert (await tasks.look(tenant, "t1")).cancel == "too late"


async def test_commit_on_an_old_version_changes_nothing(tasks, tenant):
    await submit(tasks, state(tenant=tenant))
    seen = await tasks.look(tenant, "t1")
    assert await tasks.commit(Commit(before=seen, state=seen.state.but(step=1), due_at=NOW)) == 2

    late = await tasks.commit(Commit(before=seen, state=seen.state.but(step=7), due_at=NOW))

    assert late == 0
    assert (await tasks.look(tenant, "t1")).state.step == 1


async def test_claimed_step_is_exclusive_until_it_is_released(tasks, redis, tenant):
    await submit(tasks, state(tenant=tenant))
    claims = Claims(redis)

    async with claims.hold(tenant, "t1", 1):
        with pytest.raises(Busy):
            async with claims.hold(tenant, "t1", 1):
                pytest.fail("two processes hold one step")


async def test_failed_holder_releases_and_its_successor_finds_the_record(tasks, redis, tenant):
    await submit(tasks, state(tenant=tenant))
    claims = Claims(redis)
    tokens = []

    async def fails():
        async with claims.hold(tenant, "t1", 1) as first:
            tokens.append(first.token)
            await first.store({"attempt": 1})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fails()

    async with claims.hold(tenant, "t1", 1) as second:
        assert second.record == {"attempt": 1}
        assert second.token > tokens[0]


async def test_dead_holder_is_fenced_once_its_lease_is_over(tasks, redis, tenant):
    await submit(tasks, state(tenant=tenant))
    stalled = Claims(redis, lease_s=0.01, renew_s=60)

    async with stalled.hold(tenant, "t1", 1) as first:
        for _ in range(1000):
            if not await stalled.is_held(tenant, "t1", 1):
                break
        async with Claims(redis).hold(tenant, "t1", 1) as second:
            with pytest.raises(Fenced):
                await first.store({"late": True})
            seen = await tasks.look(tenant, "t1")
            moved = Commit(before=seen, state=seen.state.but(step=1), due_at=NOW, token=first.token)
            assert await tasks.commit(moved) == -1
            assert second.record == {}


async def test_committed_step_cannot_be_claimed_again(tasks, redis, tenant):
    await submit(tasks, state(tenant=tenant))
    seen = await tasks.look(tenant, "t1")
    async with Claims(redis).hold(tenant, "t1", 1) as claim:
        await tasks.commit(Commit(before=seen, state=seen.state.but(step=1), due_at=NOW,
                                  token=claim.token))

    with pytest.raises(Committed):
        async with Claims(redis).hold(tenant, "t1", 1):
            pytest.fail("the step was taken twice")


async def test_put_off_step_keeps_its_record_and_its_tokens_grow(tasks, redis, tenant):
    await submit(tasks, state(tenant=tenant))
    seen = await tasks.look(tenant, "t1")
    async with Claims(redis).hold(tenant, "t1", 1) as claim:
        await claim.store({"ask": 2})
        await tasks.commit(Commit(before=seen, state=seen.state.but(wake_at=NOW + 2),
                                  due_at=NOW + 2, token=claim.token))

    async with Claims(redis).hold(tenant, "t1", 1) as later:
        assert later.record == {"ask": 2}
        assert later.token > claim.token


async def test_final_task_keeps_its_answer_and_little_else(tasks, redis, tenant):
    long = "word " * 6000
    await submit(tasks, state(tenant=tenant, prompt=long))
    seen = await tasks.look(tenant, "t1")
    records = [StepRecord(step=n, text=long[:1200], calls=tuple(
        {"call_id": f"{n}{m}", "tool": "reader", "arguments": long[:1200]} for m in range(16)))
        for n in range(1, 11)]
    answered = seen.state.but(output="x" * 8000, step=10)
    commit = ended(type(seen)(state=answered, version=seen.version, results={}, outbox={},
                              cancel=None), Status.COMPLETED, None, Past(records, 5, NOW + 1))

    commit = replace(commit, entries=[Entry("tool", {"step": n, "call_id": "c" * 32, "ok": True})
                                      for n in range(400)] + list(commit.entries))

    assert await tasks.commit(commit) > 0
    await tasks.published(commit.state, list(seen.outbox) + [i for i, _ in commit.events], None)

    kept = 0
    for key in (keys.task(tenant, "t1"), keys.steps(tenant, "t1"), keys.stream(tenant, "t1")):
        kept += await redis.memory_usage(key, samples=0)
    assert kept <= 20 * 1024
    final = await tasks.look(tenant, "t1")
    assert final.state.output == "x" * 8000
    assert final.outbox == {}
    assert len(await tasks.steps(tenant, "t1")) == 10
    assert await Overdue(redis).tasks(tenant, NOW + 10**9) == []


async def test_session_remembers_a_completed_task_once(tasks, tenant):
    await submit(tasks, state(tenant=tenant))
    seen = await tasks.look(tenant, "t1")
    done = type(seen)(state=seen.state.but(output="42"), version=1, results={}, outbox={},
                      cancel=None)
    commit = ended(done, Status.COMPLETED, None, Past((), 0, NOW))
    await tasks.commit(commit)
    await tasks.commit(commit)

    assert await tasks.history(tenant, "researcher", "t1") == [
        {"prompt": "How much?", "output": "42"}]
    assert await tasks.history("other", "researcher", "t1") == []


async def test_lists_page_through_all_tasks_newest_first(tasks, redis, tenant):
    for n in range(7):
        await submit(tasks, state(f"t{n}", tenant=tenant, created_at=NOW + n))
    reader, found, cursor = Reader(redis), [], None
    while True:
        page, cursor = await reader.page(tenant, Query(limit=3, cursor=cursor))
        found += [s.task.id for s in page]
        if cursor is None:
            break

    assert found == [f"t{n}" for n in reversed(range(7))]
    assert await reader.page(tenant, Query(status=Status.FAILED)) == ([], None)
    assert len((await reader.page(tenant, Query(agent="researcher")))[0]) == 7


async def test_stream_is_read_from_any_position(tasks, redis, tenant):
    await submit(tasks, state(tenant=tenant))
    seen = await tasks.look(tenant, "t1")
    await tasks.commit(Commit(before=seen, state=seen.state, due_at=NOW,
                              entries=[Entry("step", {"step": 1})]))
    first, second = await Reader(redis).entries(tenant, "t1")

    assert first.event == "status"
    assert await Reader(redis).entries(tenant, "t1", after=first.id) == [second]


@pytest.mark.parametrize(("entries", "told"), [
    ([("status", {"status": "paused", "reason": "no budget", "waits_s": 9}), ("tool", {"ok": 1})],
     {"t1": "no budget"}),
    ([("status", {"status": "paused", "reason": "no budget", "waits_s": 9}),
      ("status", {"status": "pending", "waits_s": 2})], {}),  # as earlier releases wrote it
    ([("tool", {"ok": 1})] * 40, {})], ids=["newest", "newest has none", "too long ago"])
async def test_task_waits_for_what_its_newest_change_of_status_says(
        tasks, redis, tenant, entries, told):
    await submit(tasks, state(tenant=tenant))
    await submit(tasks, state("t2", tenant=tenant))
    seen = await tasks.look(tenant, "t1")
    waiting = seen.state.but(status=Status.PAUSED, wake_at=NOW + 9)
    await tasks.commit(Commit(before=seen, state=waiting, due_at=NOW,
                              entries=[Entry(*one) for one in entries]))

    assert await Reader(redis).reasons(tenant, [waiting]) == told
    assert await Reader(redis).reasons(tenant, [(await tasks.look(tenant, "t2")).state]) == {}
