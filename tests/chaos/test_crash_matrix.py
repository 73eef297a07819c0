"""Kills every function once at every point where it can die, and looks whether anything is lost."""

from collections import Counter
from dataclasses import dataclass

import pytest

from shared.faults import FaultPoint as At
from tests.chaos.points import functions, reachable
from tests.system import until

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

TOOL = [point for point in At if point.startswith("tool_")]
MATRIX = [
    *(Kill("agents", point) for point in STEP),
    *(Kill("agents", point, LAST) for point in (At.AFTER_RESERVE, At.AFTER_ANSWER,
                                                At.AFTER_SETTLE, At.AFTER_COMMIT)),
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
    *(Kill("costs", point) for point in (At.COSTS_BEFORE_STORE, At.COSTS_AFTER_STORE,
                                         At.BEFORE_RESPONSE)),
    *(Kill("watchdog", point, story="silence") for point in (At.BETWEEN_PUBLISHES,
                                                             At.AFTER_PUBLISH)),
    Kill("watchdog", At.BEFORE_RESPONSE, story="timer"),
    *(Kill("deadletters", point, story="broken agent") for point in (
        At.BETWEEN_PUBLISHES, At.AFTER_PUBLISH, At.BEFORE_RESPONSE)),
]
NOT_REACHED = {
    ("gateway", At.BEFORE_RESPONSE): "it takes no events from the broker",
    ("ledger", At.BEFORE_RESPONSE): "it takes no events from the broker",
    ("rollouts", At.BEFORE_RESPONSE): "it needs a Kubernetes: tests/cluster/rollouts",
}
"""Points in modules that these functions import, where they never come by."""


def test_the_matrix_has_every_point_that_a_function_can_reach():
    found = {(family, point) for family, main in functions().items()
             for point in reachable(main)}

    assert {(kill.family, kill.point) for kill in MATRIX} == found - set(NOT_REACHED)


def test_every_fault_point_is_in_the_code():
    found = set().union(*(reachable(main) for main in functions().values()))

    assert found == set(At)


@pytest.mark.parametrize("kill", [k for k in MATRIX if k.story in ("errand", "own door")], ids=str)
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


@pytest.mark.parametrize("kill", [k for k in MATRIX if k.story == "silence"], ids=str)
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


@pytest.mark.parametrize("kill", [k for k in MATRIX if k.story == "broken agent"], ids=str)
async def test_the_dead_letters_fail_a_task_once_through_a_kill(system, tenant, kill):
    killed = await system.armed("deadletters", kill.point)

    task = await tenant.submit("anything", agent="broken")
    await until(killed.exists, what=f"{kill} dies")
    system.disarm("deadletters")
    found = await recovered(system, tenant, task)

    assert found["status"] == "failed"
    assert "agent broken could not take" in found["error"]
    assert len(await tenant.letters()) == 1
    ends = {r["id"] for r in system.records("event")
            if r["task"] == task and r["type"] == "dev.tollgate.task.completed.v1"}
    assert len(ends) == 1


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
