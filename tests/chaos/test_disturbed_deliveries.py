"""Doubles, shuffles and loses events between the broker and the functions."""

from collections import Counter

import pytest

from eventing.local.disturbance import Drop
from tests.system import until

pytestmark = pytest.mark.anyio

ANSWER = "6 and 7: told 204"
OURS = "dev.tollgate."
TASKS_OWN = [
    ("task.submitted", 1),
    ("tool.requested", 1), ("tool.requested", 2), ("tool.requested", 3),
    ("tool.completed", 1), ("tool.completed", 2), ("tool.completed", 3),
]
"""What the errand publishes that somebody waits for: type and its how-manieth."""


@pytest.fixture(autouse=True)
def calm(system):
    yield
    system.disturb()


async def errand(system, tenant):
    return await tenant.submit(f"errand {system.hook.url(tenant.name)}")


async def assert_as_if_undisturbed(system, tenant, task, steps=3):
    found = await tenant.wait(task)
    assert (found["status"], found["result"]["error"]) == ("completed", None)
    calls = Counter(system.model_calls(task))
    assert (len(calls), set(calls.values())) == (steps, {1})
    summary, gaps = await tenant.books()
    assert gaps["gapless"]
    assert summary["events"] == summary["terminal"] == summary["states"]["SETTLED"]
    assert await tenant.letters() == []
    return found["result"]["output"]


@pytest.mark.parametrize("shuffle_s", [0.0, 0.5], ids=["at once", "out of order"])
async def test_every_event_twice_changes_nothing(system, tenant, shuffle_s):
    system.disturb(twice=True, shuffle_s=shuffle_s)

    tasks = [await errand(system, tenant) for _ in range(3)]

    assert {await assert_one_of_three(system, tenant, task) for task in tasks} == {ANSWER}
    assert len(system.hook.keys(tenant.name)) == len(set(system.hook.keys(tenant.name))) == 3
    summary, gaps = await tenant.books()
    assert summary["states"]["SETTLED"] == summary["events"] == 3 * 6
    assert gaps["duplicates"] > 0
    assert await tenant.letters() == []


async def assert_one_of_three(system, tenant, task):
    found = await tenant.wait(task)
    assert (found["status"], found["result"]["error"]) == ("completed", None)
    calls = Counter(system.model_calls(task))
    assert (len(calls), set(calls.values())) == (3, {1})
    return found["result"]["output"]


@pytest.mark.parametrize("shuffle_s", [0.0, 0.3], ids=["at once", "out of order"])
async def test_eight_results_at_once_take_one_step(system, tenant, shuffle_s):
    system.disturb(twice=True, shuffle_s=shuffle_s)

    task = await tenant.submit("eight")

    assert await assert_as_if_undisturbed(system, tenant, task, steps=2) == "1234 5678"


async def test_the_list_of_droppable_events_is_whole(system, tenant):
    mark = system.mark()
    task = await errand(system, tenant)
    await tenant.wait(task)
    await tenant.books()

    events = Counter(r["type"].removeprefix(OURS).removesuffix(".v1")
                     for r in system.records("event", mark) if r["task"] == task)

    awaited = {f"{kind}.{n}" for kind, n in TASKS_OWN}
    found = {f"{kind}.{n}" for kind, count in events.items() for n in range(1, count + 1)
             if not kind.startswith("ledger.")}
    assert found == awaited | {"task.completed.1"}  # which nobody waits for: a root task's


@pytest.mark.parametrize(("kind", "nth"), TASKS_OWN)
async def test_a_lost_event_is_found_by_the_watchdog(system, tenant, kind, nth):
    mark = system.mark()
    system.disturb(drop=Drop(f"{OURS}{kind}.v1", nth))
    task = await errand(system, tenant)
    await until(lambda: system.records("dropped", mark), what="the event is lost")
    await quiet(system)
    assert (await tenant.task(task))["status"] in ("pending", "running")

    await system.overdue(tenant)
    assert (await system.rounds()).get("nudge") == 1

    assert await assert_as_if_undisturbed(system, tenant, task) == ANSWER
    assert len(set(system.hook.keys(tenant.name))) == 1


async def quiet(system):
    """Return when nothing is on its way any more."""
    await until(lambda: not any(t["pending"] for t in system.runtime.status()["triggers"]))


async def test_a_lost_event_of_the_ledger_shows_as_a_gap_and_is_fetched(system, tenant):
    await tenant.ran("plain")
    await tenant.books()
    system.disturb(drop=Drop(f"{OURS}ledger.attributed.v1"))
    await tenant.ran("plain")
    system.disturb()
    await tenant.ran("plain")
    await until(lambda: has_gap(tenant), what="the gap shows")

    filled = await tenant.ask("POST", "/v1/gaps/fill", at="costs")

    assert (filled.json()["filled"], filled.json()["gapless"]) == (1, True)
    summary, _ = await tenant.books()
    assert (await tenant.costs("agent"))["total_nano"] == summary["posted_nano"]


async def has_gap(tenant):
    return (await tenant.got("/v1/gaps", at="costs"))["missing_count"] == 1
