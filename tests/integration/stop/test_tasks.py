"""What becomes of tasks whose agent is stopped: they wait and go on, or they fail."""

import pytest

from functions.ledger.requests import BudgetBody
from shared.tasks.contract import Status
from tests.integration.agents import test_over_budget
from tests.integration.ledger.conftest import serving
from tests.integration.stop.test_stops import admit, clean, start, stop

pytestmark = pytest.mark.anyio
agent = test_over_budget.agent


@pytest.fixture
async def stopped(agent):
    await clean(agent.ledger)
    admit(agent.ledger, "platform")
    yield agent
    await clean(agent.ledger)


async def test_task_waits_while_its_agent_is_stopped_and_goes_on_when_it_is_started(stopped):
    await stop(stopped.ledger, "agent", "researcher")
    waiting = await stopped.run()
    assert (waiting.status, stopped.model.asked) == (Status.PAUSED, [])

    await start(stopped.ledger, "agent", "researcher")
    await stopped.ledger.http.post("/sweep")
    [woken] = stopped.published("task.resumed")
    await stopped.deliver(woken)

    assert (await stopped.now()).status is Status.COMPLETED
    assert len(stopped.model.asked) == 1


async def test_task_fails_with_the_reason_if_the_stop_says_so(stopped):
    await stop(stopped.ledger, "all", "all", policy="fail")

    ended = await stopped.run()

    assert (ended.status, ended.error) == (Status.FAILED, "everything is stopped: a loop")
    assert stopped.model.asked == []


@pytest.mark.parametrize("change", ["start", "budget"])
async def test_task_is_woken_by_another_ledger_than_the_one_that_was_told(stopped, redis_url,
                                                                         change):
    """The one that was told may die at once: what it was to do is in Redis."""
    await stop(stopped.ledger, "agent", "researcher")
    assert (await stopped.run()).status is Status.PAUSED
    async with serving(redis_url) as other:
        await other.http.post("/sweep")  # the stop itself is announced
        other.broker.events.clear()

        await (start(stopped.ledger, "agent", "researcher") if change == "start"
               else stopped.ledger.parts.budgets.put(
                   stopped.ledger.tenant, "tenant", stopped.ledger.tenant,
                   BudgetBody(limit=10**12)))
        await other.http.post("/sweep")
        await other.http.post("/sweep")

        woken = [e for e in other.broker.events if e.type.endswith("task.resumed.v1")]
        assert [e.get("taskid") for e in woken if e.get("tenantid") == stopped.ledger.tenant] == [
            "t1"]


async def raised(ledger):
    await ledger.parts.budgets.put(ledger.tenant, "tenant", ledger.tenant, BudgetBody(limit=10**12))


async def test_task_is_woken_once_the_broker_is_back(stopped):
    ledger = stopped.ledger
    await stop(ledger, "agent", "researcher")
    await stopped.run()
    await raised(ledger)
    ledger.broker.away = True
    await ledger.http.post("/sweep")
    ledger.broker.away = False

    await ledger.http.post("/sweep")
    await ledger.http.post("/sweep")

    assert len(stopped.published("task.resumed")) == 1


async def test_limits_that_change_while_tasks_are_woken_wake_them_again(stopped, monkeypatch):
    ledger = stopped.ledger
    await stop(ledger, "agent", "researcher")
    await stopped.run()
    await raised(ledger)
    publish = ledger.broker.publish

    async def meanwhile(event):
        monkeypatch.setattr(ledger.broker, "publish", publish)
        await publish(event)
        await raised(ledger)

    await ledger.parts.switch.announce()
    monkeypatch.setattr(ledger.broker, "publish", meanwhile)
    waking = ledger.parts.background._waking

    assert [await waking.go(ledger.tenant) for _ in range(3)] == [1, 1, 0]
