"""What an agent does when the ledger denies a step: asks for less, for cheaper, or pauses."""

from dataclasses import dataclass, field

import pytest

from eventing.adapter import Delivery
from eventing.outbox import Outbox
from eventing.task_cost import Posted
from eventing.task_events import submitted
from functions.agents.definition import Definition
from functions.agents.host import Host, Parts
from functions.agents.loop import Toolbox
from functions.agents.perform import Performer
from functions.agents.pinning import Siblings
from shared.auth import verify
from shared.clock import now_s
from shared.models.port import ModelReply
from shared.tasks.claims import Claims
from shared.tasks.contract import Status
from shared.tasks.reading import Query, Reader
from shared.tasks.store import Tasks
from shared.usage import Usage
from tests.integration.ledger.conftest import KEY, serving
from tests.states import state

pytestmark = pytest.mark.anyio
IN, OUT = 150, 600
"""Nano-USD per token of the offline model."""

CHEAP = """
version: 1
tenants:
  {tenant}:
    prices:
      label: own
      models:
        scripted/cheap: {{usd_per_million: {{input_uncached: "0.01", output_text: "0.01"}}}}
"""


@dataclass
class Model:
    """Answers everything with one word."""

    asked: list = field(default_factory=list)

    async def complete(self, request, permit, on_token=None):
        self.asked.append(request)
        return ModelReply("done", (), Usage(input_uncached=100, output_text=1), request.model,
                          "stop")

    def input_tokens_max(self, request):
        return 1000


@dataclass
class Agent:
    """One agent over a real store and a real ledger; what it publishes lands in `broker`."""

    ledger: object
    tasks: Tasks
    model: Model
    host: Host

    def deliver(self, event):
        return self.host(Delivery(event, verify(event.get("grant"), KEY)))

    async def run(self, **grant):
        begun = state("t1", tenant=self.ledger.tenant).but(
            grant=self.ledger.granted(task="t1", **grant), created_at=now_s())
        await self.deliver(submitted(begun))
        return await self.now()

    async def now(self):
        return (await self.tasks.look(self.ledger.tenant, "t1")).state

    async def listed(self, status):
        found, _ = await Reader(self.ledger.redis).page(self.ledger.tenant, Query(status=status))
        return [s.task.id for s in found]

    def published(self, kind):
        return [e for e in self.ledger.broker.events if e.type.endswith(f"{kind}.v1")]


async def nothing(_):
    """Wait for nothing between attempts."""


@pytest.fixture
async def agent(redis_url):
    async with serving(redis_url) as ledger:
        model, tasks = Model(), Tasks(ledger.redis)
        definition = Definition(name="researcher", description="d", prompt="p",
                                cheaper_models=("scripted/cheap",))
        given = {
            "definition": definition, "toolbox": Toolbox({}), "tasks": tasks, "clock": now_s,
            "claims": Claims(ledger.redis), "publisher": ledger.broker,
            "posted": Posted(ledger.meter, now_s),
            "outbox": Outbox(tasks, ledger.broker, silence_s=300), "model": model,
            "siblings": Siblings("researcher", None, "http://127.0.0.1", None),
            "model_name": "scripted/default", "performer": Performer(
                definition, model, ledger.meter, env="test", clock=now_s, pause=nothing)}
        fields = Parts.__dataclass_fields__
        yield Agent(ledger, tasks, model, Host(Parts(**{f: given.get(f) for f in fields})))


async def attributed(agent):
    await agent.ledger.drained()
    return [e.json() for e in agent.published("ledger.attributed")]


async def test_denied_step_asks_again_with_the_largest_cap_that_fits(agent):
    await agent.ledger.budget(1000 * IN + 300 * OUT + 599)

    assert (await agent.run()).status is Status.COMPLETED

    assert [r.output_tokens_max for r in agent.model.asked] == [300]
    [event] = await attributed(agent)
    assert event["model"]["downgrade_reason"].startswith("budget: 300 output tokens fit tenant|")


async def test_limit_in_tokens_lowers_the_cap_to_what_is_left(agent):
    await agent.ledger.budget(1000 + 400, unit="tok")

    assert (await agent.run()).status is Status.COMPLETED

    assert [r.output_tokens_max for r in agent.model.asked] == [400]


async def test_cheaper_model_is_asked_when_no_cap_of_the_first_fits(agent):
    headers = {"authorization": f"Bearer {agent.ledger.api_key}"}
    await agent.ledger.http.post("/v1/budgets:apply", headers=headers, json={
        "text": CHEAP.format(tenant=agent.ledger.tenant)})
    await agent.ledger.budget(1000 * IN + 100 * OUT)

    assert (await agent.run()).output == "done"

    assert [(r.model, r.output_tokens_max) for r in agent.model.asked] == [("scripted/cheap", 1024)]
    [event] = await attributed(agent)
    assert (event["model"]["requested"], event["model"]["selected"]) == ("default", "cheap")
    assert event["model"]["downgrade_reason"].endswith(" left")
    assert event["cost"]["price_version"] == "own"


async def test_limit_that_downgrades_asks_the_cheapest_model_and_never_ends_the_task(agent):
    headers = {"authorization": f"Bearer {agent.ledger.api_key}"}
    await agent.ledger.http.post("/v1/budgets:apply", headers=headers, json={
        "text": CHEAP.format(tenant=agent.ledger.tenant)})
    await agent.ledger.budget(1, policy="downgrade")

    assert (await agent.run()).output == "done"

    assert [(r.model, r.output_tokens_max) for r in agent.model.asked] == [("scripted/cheap", 1024)]
    [event] = await attributed(agent)
    assert event["model"]["selected"] == "cheap"


async def test_limit_that_downgrades_waits_for_nobodys_holds(agent):
    await agent.ledger.budget(10**6, policy="downgrade")
    await agent.ledger.meter.hold(agent.ledger.call(input_tokens_max=5000))

    assert (await agent.run()).status is Status.COMPLETED

    assert [r.model for r in agent.model.asked] == ["scripted/cheap"]


async def test_limit_that_denies_ends_the_task_with_what_it_has(agent):
    await agent.ledger.budget(1)

    ended = await agent.run()

    assert (ended.status, ended.error.split(":")[0]) == (Status.COMPLETED, "cost budget exceeded")
    assert agent.model.asked == []


async def test_limit_that_pauses_keeps_the_task_until_the_budget_is_raised(agent):
    await agent.ledger.budget(1, policy="pause")
    waiting = await agent.run()
    assert (waiting.status, await agent.listed(Status.PAUSED)) == (Status.PAUSED, ["t1"])
    assert len(agent.published("task.paused")) == 1

    await agent.ledger.budget(10**9, policy="pause")
    await agent.ledger.http.post("/sweep")
    [woken] = agent.published("task.resumed")
    await agent.deliver(woken)

    assert (await agent.now()).status is Status.COMPLETED
    assert len(agent.model.asked) == 1
    assert await agent.listed(Status.COMPLETED) == ["t1"]
    assert await agent.ledger.redis.exists(f"tk:{{{agent.ledger.tenant}}}:status:paused") == 0


async def test_task_that_is_woken_in_vain_pauses_again_and_says_so_once(agent):
    await agent.ledger.budget(1, policy="pause")
    first = await agent.run()
    await agent.ledger.budget(2, policy="pause")
    await agent.ledger.http.post("/sweep")

    await agent.deliver(agent.published("task.resumed")[0])

    again = await agent.now()
    assert (again.status, again.hops) == (Status.PAUSED, first.hops)
    assert again.wake_at > first.wake_at
    assert len(agent.published("task.paused")) == 1


async def test_tasks_own_limit_never_pauses_it(agent):
    await agent.ledger.budget(10**9, policy="pause")

    ended = await agent.run(usd=1)

    assert ended.status is Status.COMPLETED


async def test_paused_task_can_be_cancelled(agent):
    from eventing.task_events import cancel_requested

    await agent.ledger.budget(1, policy="pause")
    paused = await agent.run()

    await agent.deliver(cancel_requested(paused, "no longer wanted"))

    assert (await agent.now()).status is Status.CANCELLED
    assert await agent.listed(Status.PAUSED) == []
