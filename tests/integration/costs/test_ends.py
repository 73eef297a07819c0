"""How tasks ended, and what a task costs by it: whatever order, and however often, ends come in."""

import asyncio
import itertools
import json

import pytest

from eventing.event import Event
from eventing.http import encode_binary
from eventing.types import TaskCompleted
from functions.costs.questions.question import ask
from functions.costs.store.units import unit_costs
from shared.errors import Malformed
from shared.tasks.contract import AgentResult, Status

pytestmark = pytest.mark.anyio
DAY = "2026-11-20"
SPAN = {"from": DAY, "to": "2026-11-22"}
SECRET = "the model said so"


def ended(ledger, task, *, status=Status.COMPLETED, error=None, at=f"{DAY}T13:00:00Z", nth=0,
          agent="researcher", cost="0.000002"):
    result = AgentResult(task_id=task, status=status, error=error, output=SECRET, steps_used=3,
                         cost_usd=cost, duration_ms=2_500)
    return Event.of(TaskCompleted(result=result), type=TaskCompleted.TYPE, id=f"{task}-{nth}",
                    source=f"/{agent}", time=at, tenantid=ledger.tenant, taskid=task, agent=agent)


async def units(store, ledger, **asked):
    return await unit_costs(store, ledger.tenant, ask({**SPAN, **asked}))


async def test_task_is_successful_once_it_completed_and_runs_before(store, ledger):
    for n in range(3):
        await store.store(ledger.attributed(f"r-{n}", cost=900, task=f"t-{n}"))
    before = await units(store, ledger)

    await store.end(ended(ledger, "t-0"))
    await store.end(ended(ledger, "t-1", status=Status.FAILED, error="over budget"))

    assert (before["successful"], before["per_successful_task_nano"]) == (0, None)
    assert before["ends"]["running"] == 3
    after = await units(store, ledger)
    assert after["ends"] == {"completed": 1, "partial": 0, "failed": 1, "cancelled": 0,
                             "running": 1}
    assert (after["per_task_nano"], after["per_successful_task_nano"]) == (900, 2700)
    assert after["ends_nano"]["failed"] == 2_000


async def test_call_without_an_error_makes_no_success(store, ledger):
    await store.store(ledger.attributed("r-1"))
    await store.end(ended(ledger, "t-1", error="over budget"))

    found = await units(store, ledger)

    assert (found["successful"], found["ends"]["partial"]) == (0, 1)


REOPENED = (("failed", Status.FAILED, f"{DAY}T13:00:00Z"),
            ("completed", Status.COMPLETED, "2026-11-21T13:00:00Z"))


@pytest.mark.parametrize("order", [*itertools.permutations((0, 1)), (0, 1, 0, 1), (1, 0, 0, 1)],
                         ids=str)
@pytest.mark.parametrize("first", ["end", "call"])
async def test_latest_end_counts_whatever_order_ends_and_calls_come_in(store, ledger, order, first):
    events = [ended(ledger, "t-1", status=status, at=at, nth=n)
              for n, (_, status, at) in enumerate(REOPENED)]
    deliveries = [store.end(events[n]) for n in order]
    deliveries.insert(0 if first == "call" else len(order), store.store(ledger.attributed("r-1")))
    for delivery in deliveries:
        await delivery

    found = await units(store, ledger)

    assert found["ends"] == {"completed": 1, "partial": 0, "failed": 0, "cancelled": 0,
                             "running": 0}
    assert (await units(store, ledger, to="2026-11-21"))["ends"]["failed"] == 0
    ever = (await store.ends.ever(ledger.tenant))["researcher"]
    assert {name: ever[name] for name in ("completed", "failed", "nano", "ms", "le:5")} == {
        "completed": 1, "failed": 1, "nano": 4_000, "ms": 5_000, "le:5": 2}


async def test_end_that_comes_eight_times_at_once_counts_once(store, ledger):
    found = await asyncio.gather(*(store.end(ended(ledger, "t-1")) for _ in range(8)))

    assert sorted(found) == [False] * 7 + [True]
    assert (await store.ends.by_day(ledger.tenant, [DAY])) == {
        "completed": 1, "completed:nano": 2_000}


async def test_what_was_asked_and_answered_is_not_kept(store, ledger, redis):
    await store.end(ended(ledger, "t-1", error=f"error with {SECRET}"))

    for key in await redis.keys(f"co:{{{ledger.tenant}}}:*"):
        assert SECRET.encode() not in await redis.dump(key)


async def test_units_are_the_same_counted_by_days_and_read_task_by_task(store, ledger):
    for n in range(60):
        agent = "ab"[n % 2]
        await store.store(ledger.attributed(
            f"r-{n}", cost=n, task=f"t-{n % 20}" if n % 9 else "", session=f"s-{n % 20 % 3}",
            agent=agent, at=f"2026-11-{18 + (n // 20 + n) % 4}T10:00:00Z"))
    for n in (1, 2, 4, 7, 10, 11, 15):
        at = f"2026-11-{18 + n % 4}T23:00:00Z"
        await store.end(ended(ledger, f"t-{n}", at=at, agent="ab"[n % 2]))

    for span in ({}, {"from": "2026-11-19", "to": "2026-11-21"}, {"from": "2026-11-21"}):
        counted = await unit_costs(store, ledger.tenant, ask(span))
        read = await unit_costs(store, ledger.tenant, ask({**span, "env": "dev"}))
        assert counted == read, span
    of_one = await unit_costs(store, ledger.tenant, ask({"agent": "a"}))
    both = await unit_costs(store, ledger.tenant, ask({"agent": "a", "env": "dev"}))
    assert of_one == both


async def test_end_that_is_none_is_refused(store, ledger):
    for event in (ended(ledger, ""), ended(ledger, "t", status=Status.RUNNING),
                  ended(ledger, "t", cost="NaN"), ended(ledger, "t", cost="-1"),
                  ended(ledger, "t", cost="much"), ended(ledger, "t").extended(tenantid="A:B")):
        with pytest.raises(Malformed):
            await store.end(event)


async def test_dearest_tasks_say_how_they_ended(http, store, ledger):
    for n in range(2):
        await store.store(ledger.attributed(f"r-{n}", cost=10 - n, task=f"t-{n}"))
    headers, body = encode_binary(ended(ledger, "t-0"))
    assert (await http.post("/", headers=headers, content=body)).status_code == 204

    first, second = json.loads((await http.get("/v1/tasks")).content)["tasks"]

    assert (first["status"], first["steps"], first["ended"]) == (
        "completed", 3, f"{DAY}T13:00:00.000Z")
    assert first["started"] == f"{DAY}T12:59:57.500Z"
    assert (second["status"], second["ended"]) == ("running", None)
    assert (await http.get("/v1/costs/tasks/t-0")).json()["status"] == "completed"
