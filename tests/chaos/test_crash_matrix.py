"""Kills every function once at every point where it can die, and looks whether anything is lost."""

import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass

import httpx2
import pytest

from functions.costs.store.ends import ENDS, Ends
from shared.faults import FaultPoint as At
from tests.chaos.points import functions, reachable
from tests.system import WAIT_S, until

pytestmark = pytest.mark.anyio

ANSWER = "6 and 7: told 204"
LAST = 3
"""Steps of the errand; its last commit ends the task."""


@dataclass(frozen=True)
class Kill:
    """One process of a function dies when it reaches a point for the nth time."""

    family: str
    point: At
    nth: int = 1
    story: str = "errand"

    @property
    def function(self):
        return {"agents": "prober", "tools": "notify"}.get(self.family, self.family)

    def __str__(self):
        return "-".join([self.function, self.point, str(self.nth), *(
            [self.story] if self.story != "errand" else [])])


STEP = [At.BEFORE_RECORD, At.AFTER_RECORD, At.BEFORE_CLAIM, At.AFTER_CLAIM, At.AFTER_RESERVE,
        At.AFTER_ANSWER, At.BEFORE_SETTLE, At.AFTER_SETTLE, At.BEFORE_COMMIT,
        At.AFTER_COMMIT, At.BETWEEN_PUBLISHES, At.AFTER_PUBLISH, At.BEFORE_RESPONSE]
"""The points of one step, in order."""

STOP = [At.STOP_AFTER_WRITE, At.STOP_BETWEEN_TENANTS, At.STOP_AFTER_PUBLISH]
TOOL = [point for point in At if point.startswith("tool_")]
MATRIX = [
    *(Kill("agents", point) for point in STEP),
    *(Kill("agents", point, LAST) for point in (
        At.AFTER_RESERVE, At.AFTER_ANSWER, At.AFTER_SETTLE, At.BEFORE_COMMIT, At.AFTER_COMMIT)),
    *(Kill("agents", point, story="cancel") for point in (
        At.BEFORE_COMMIT, At.AFTER_COMMIT, At.AFTER_PUBLISH)),
    Kill("agents", At.BETWEEN_PUBLISHES, 2),
    Kill("agents", At.AFTER_PUBLISH, LAST),
    Kill("agents", At.SUBMIT_AFTER_COMMIT, story="own door"),
    Kill("agents", At.SUBMIT_AFTER_PUBLISH, story="own door"),
    *(Kill("tools", point) for point in (*TOOL, At.BEFORE_RESPONSE)),
    *(Kill("gateway", point) for point in (At.SUBMIT_AFTER_COMMIT, At.BETWEEN_PUBLISHES,
                                           At.AFTER_PUBLISH, At.SUBMIT_AFTER_PUBLISH)),
    *(Kill("ledger", point, nth) for nth in (1, 2, 3)
      for point in (At.LEDGER_BEFORE_SCRIPT, At.LEDGER_AFTER_SCRIPT)),
    Kill("ledger", At.LEDGER_AFTER_PUBLISH),
    *(Kill("ledger", point, story=story) for story in ("stop", "start") for point in STOP),
    *(Kill("costs", point) for point in (At.COSTS_BEFORE_STORE, At.COSTS_AFTER_STORE,
                                         At.COSTS_AFTER_END, At.BEFORE_RESPONSE)),
    *(Kill("watchdog", point, story="silence") for point in (At.BETWEEN_PUBLISHES,
                                                             At.AFTER_PUBLISH)),
    Kill("watchdog", At.BEFORE_RESPONSE, story="timer"),
    *(Kill("watchdog", point, story="deadline") for point in (At.TASK_BEFORE_END,
                                                              At.TASK_AFTER_END)),
    *(Kill("deadletters", point, story="broken agent") for point in (
        At.TASK_BEFORE_END, At.TASK_AFTER_END, At.BETWEEN_PUBLISHES, At.AFTER_PUBLISH,
        At.BEFORE_RESPONSE)),
]
NOT_REACHED = {
    ("gateway", At.BEFORE_RESPONSE): "it takes no events from the broker",
    ("ledger", At.BEFORE_RESPONSE): "it takes no events from the broker",
    ("rollouts", At.BEFORE_RESPONSE): "it needs a Kubernetes: tests/cluster/rollouts",
}
"""Points in modules that these functions import, where they never come by."""


def of_story(*stories):
    return [kill for kill in MATRIX if kill.story in stories]


def test_the_matrix_has_every_point_that_a_function_can_reach():
    found = {(family, point) for family, main in functions().items()
             for point in reachable(main)}

    assert {(kill.family, kill.point) for kill in MATRIX} == found - set(NOT_REACHED)


def test_every_fault_point_is_in_the_code():
    found = set().union(*(reachable(main) for main in functions().values()))

    assert found == set(At)


@pytest.mark.parametrize("kill", of_story("errand", "own door"), ids=str)
async def test_a_task_survives_a_kill(system, tenant, kill):
    killed = await system.armed(kill.function, kill.point, kill.nth)

    task = await tenant.submit(f"errand {system.hook.url(tenant.name)}", key="once",
                               at="prober" if kill.story == "own door" else "gateway")
    await until(killed.exists, what=f"{kill} dies")
    system.disarm(kill.function)
    await system.lapse(tenant)
    found = await recovered(system, tenant, task)

    assert (found["status"], found["result"]["output"]) == ("completed", ANSWER)
    await assert_nothing_is_lost_or_paid_twice(system, tenant, task)


async def test_a_kill_while_the_model_answers_is_paid_under_its_own_reservation(system, tenant):
    task = await tenant.submit("slow")
    await until(lambda: system.model_calls(task), what="the model is called")

    await system.kill("prober")
    await system.lapse(tenant)
    found = await recovered(system, tenant, task)

    assert (found["status"], found["result"]["output"]) == ("completed", "At last.")
    first, second = system.model_calls(task)
    assert first != second
    summary, gaps = await tenant.books()
    assert summary["states"] == {
        "SETTLED": 1, "FORFEITED": 1, "VOIDED": 0, "DENIED": 0, "PENDING": 0}
    assert gaps["gapless"]
    outcomes = {i["id"]: i["outcome"] for i in (await tenant.invocations(task))["invocations"]}
    assert outcomes == {first: "forfeited", second: "settled"}


@pytest.mark.parametrize("kill", of_story("silence"), ids=str)
async def test_what_the_watchdog_left_unpublished_is_published(system, tenant, kill):
    gateway = await system.armed("gateway", At.SUBMIT_AFTER_COMMIT)
    killed = await system.armed("watchdog", kill.point)
    task = await tenant.submit(f"errand {system.hook.url(tenant.name)}", key="once")
    assert gateway.exists()

    await until(lambda: looked_after(system, tenant, killed), what="the watchdog dies")
    system.disarm("gateway", "watchdog")
    found = await recovered(system, tenant, task)

    assert (found["status"], found["result"]["output"]) == ("completed", ANSWER)
    await assert_nothing_is_lost_or_paid_twice(system, tenant, task)


async def looked_after(system, tenant, killed):
    await system.overdue(tenant)
    await system.rounds()
    return killed.exists()


async def test_the_watchdogs_timer_survives_a_kill(system, tenant):
    killed = await system.armed("watchdog", At.BEFORE_RESPONSE)
    await system.ping("watchdog")
    assert killed.exists()
    system.disarm("watchdog")

    assert await system.ping("watchdog") == 204


@pytest.mark.parametrize("kill", of_story("broken agent"), ids=str)
async def test_the_dead_letters_fail_a_task_once_through_a_kill(system, tenant, kill):
    killed = await system.armed("deadletters", kill.point)

    task = await tenant.submit("anything", agent="broken")
    await until(killed.exists, what=f"{kill} dies")
    system.disarm("deadletters")
    found = await recovered(system, tenant, task)

    assert found["status"] == "failed"
    assert "agent broken could not take" in found["error"]
    assert len(await tenant.letters()) == 1
    await assert_ended_once(system, tenant, task)


@pytest.mark.parametrize("kill", of_story("cancel"), ids=str)
async def test_a_cancelled_task_ends_once_through_a_kill(system, tenant, kill):
    task = await tenant.submit("sleep 20")
    await until(lambda: has_taken(tenant, task, 1), what="the first step")
    killed = await system.armed(kill.function, kill.point, kill.nth)

    answer = await tenant.ask("DELETE", f"/tasks/{task}", params={"reason": "a test"})
    assert answer.status_code == 202, answer.text
    await until(killed.exists, what=f"{kill} dies")
    system.disarm(kill.function)
    found = await recovered(system, tenant, task)

    assert (found["status"], found["error"]) == ("cancelled", "a test")
    await assert_ended_once(system, tenant, task)


@pytest.mark.parametrize("kill", of_story("deadline"), ids=str)
async def test_the_watchdog_ends_a_task_once_through_a_kill(system, tenant, kill):
    killed = await system.armed("watchdog", kill.point)
    task = await tenant.submit("sleep 20", deadline_s=2)

    await until(lambda: rounds_kill(system, killed), what="the watchdog dies")
    system.disarm("watchdog")
    await until(lambda: rounds_end(system, tenant, task), what="the task ends")

    found = await tenant.task(task)
    assert (found["status"], found["error"]) == ("failed", "deadline exceeded")
    await assert_ended_once(system, tenant, task)


async def has_taken(tenant, task, steps):
    return (await tenant.task(task))["steps_used"] == steps


async def rounds_kill(system, killed):
    await system.rounds()
    return killed.exists()


async def rounds_end(system, tenant, task):
    await system.rounds()
    return (await tenant.task(task))["status"] == "failed"


@pytest.mark.parametrize("kill", of_story("stop", "start"), ids=str)
async def test_the_kill_switch_survives_a_kill(system, tenant, kill):
    operator, path = system.tenant("platform"), f"/v1/stops/tenant/{tenant.name}"
    mark = system.mark()
    killed = await system.armed("ledger", kill.point) if kill.story == "stop" else None

    assert (await said(operator, "PUT", path, json={"reason": "a test"})).status_code == 200
    task = await tenant.submit(f"errand {system.hook.url(tenant.name)}", key="once")
    await until(lambda: is_paused(tenant, task), what="the task waits")
    assert (await tenant.summary())["reservations"] == 0

    await until(lambda: is_announced(system), what="the stop is announced")
    killed = killed or await system.armed("ledger", kill.point)
    assert (await said(operator, "DELETE", path)).status_code in (200, 404)
    await until(killed.exists, what=f"{kill} dies")
    system.disarm("ledger")

    found = await tenant.wait(task)  # nothing but the start wakes it
    assert (found["status"], found["result"]["output"]) == ("completed", ANSWER)
    await assert_nothing_is_lost_or_paid_twice(system, tenant, task)
    told = {(r["type"], r["id"]) for r in system.records("event", mark) if ".stop." in r["type"]}
    assert sorted(kind for kind, _ in told) == [
        "dev.tollgate.stop.lifted.v1", "dev.tollgate.stop.placed.v1"]


async def said(operator, method, path, **body):
    """Say it to the ledger until it answers, as people do whose request was cut."""
    ends = time.monotonic() + WAIT_S
    while True:
        with suppress(httpx2.TransportError):
            answer = await operator.ask(method, path, at="ledger", **body)
            if answer.status_code < 500:
                return answer
        assert time.monotonic() < ends, f"{method} {path} is never answered"


async def is_paused(tenant, task):
    return (await tenant.task(task))["status"] == "paused"


async def is_announced(system):
    return not await system.redis.llen("lg:{~}:stops:out")


async def recovered(system, tenant, task):
    """Return the task once it is final; a silent one gets its watchdog."""
    for _ in range(8):
        try:
            return await tenant.wait(task, timeout_s=3)
        except AssertionError:
            await system.overdue(tenant)
            await system.rounds()
    return await tenant.wait(task)


async def assert_nothing_is_lost_or_paid_twice(system, tenant, task):
    assert len(set(system.hook.keys(tenant.name))) == 1
    calls = Counter(system.model_calls(task))
    assert set(calls.values()) == {1}, "two model calls under one reservation"
    summary, gaps = await tenant.books()
    assert summary["held_nano"] == summary["pending"] == 0
    assert summary["events"] == summary["terminal"] == gaps["events"]
    assert gaps["gapless"]
    paid = await tenant.invocations(task)
    answers = [i["step"] for i in paid["invocations"]
               if i["kind"] == "llm" and i["outcome"] == "settled"]
    assert sorted(answers) == [1, 2, 3], "one answer is paid per step"
    lost = [i for i in paid["invocations"] if i["kind"] == "llm" and i["outcome"] == "forfeited"]
    assert len(lost) <= 1
    assert {i["id"] for i in paid["invocations"]} >= set(calls)
    assert paid["total_nano"] == summary["posted_nano"]
    assert await tenant.letters() == []
    await assert_ended_once(system, tenant, task)


async def assert_ended_once(system, tenant, task):
    """One end in its stream, one event that says so however often it came, counted once."""
    entries = await system.redis.xrange(f"tk:{{{tenant.name}}}:stream:{task}")
    assert [fields["event"] for _, fields in entries].count("end") == 1
    ends = await until(lambda: told_ends(system, tenant, task), what="the end is told")
    assert len(ends) == 1
    counts = await until(lambda: counted_ends(system, tenant), what="costs have the end")
    assert [n for name, n in counts.items() if name in ENDS] == [1]


async def counted_ends(system, tenant):
    """Return what costs counted of the tenant's tasks that ended; one task, one agent."""
    return next(iter((await Ends(system.redis).ever(tenant.name)).values()), None)


async def told_ends(system, tenant, task):
    """Return the ids of what told how a task ended; what nobody told yet, the watchdog does."""
    found = {r["id"] for r in system.records("event") if r["task"] == task
             and r["type"] == "dev.tollgate.task.completed.v1"}
    if not found:
        await system.overdue(tenant)
        await system.rounds()
    return found
