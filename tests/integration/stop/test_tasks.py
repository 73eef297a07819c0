"""What becomes of tasks whose agent is stopped: they wait and go on, or they fail."""

import pytest

from shared.tasks.contract import Status
from tests.integration.agents import test_over_budget
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
