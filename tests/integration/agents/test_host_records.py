"""What a delivery may write down, with a real store; nothing here gets as far as a model."""

from dataclasses import fields
from uuid import uuid4

import pytest

from eventing.adapter import Delivery
from eventing.outbox import Outbox
from eventing.task_events import completed, stored, submitted
from functions.agents.definition import Definition
from functions.agents.host import Host, Parts
from functions.agents.pinning import Siblings
from shared.auth import Grant, TaskLimits
from shared.errors import Permanent
from shared.store import connect
from shared.tasks.contract import Status
from shared.tasks.store import Commit, Tasks
from tests.states import NOW, call, state

pytestmark = pytest.mark.anyio


@pytest.fixture
async def tasks(redis_url):
    redis = connect(redis_url)
    yield Tasks(redis)
    await redis.aclose()


def host(tasks, agent="researcher", **given):
    given = {"tasks": tasks, "clock": lambda: NOW,
             "outbox": Outbox(tasks, None, silence_s=300),
             "siblings": Siblings(agent, None, "http://127.0.0.1:1", None),
             "definition": Definition(name=agent, description="d", prompt="p"), **given}
    return Host(Parts(**{f.name: given.get(f.name) for f in fields(Parts)}))


async def waiting_parent(tasks, tenant):
    """Store a task that waits for a sub-task and for one more call."""
    parent = state("parent", tenant=tenant)
    event, = stored([submitted(parent)])
    await tasks.submit(parent, event, due_at=NOW + 5)
    seen = await tasks.look(tenant, "parent")
    calls = (call("delegate", "sub-call"), call("reader", "other"))
    await tasks.commit(Commit(before=seen, state=seen.state.but(step=1, calls=calls), due_at=NOW,
                              awaited=[c.call_id for c in calls]))


def outcome(tenant, parent="parent"):
    child = state("child", tenant=tenant).but(
        replyto="researcher", parent=parent, parent_call="sub-call", output="42")
    return completed(child.ended(Status.COMPLETED, NOW))


def granted(tenant, task="child", ancestors=("parent",)):
    return Grant(tenant=tenant, agent="worker", session="s", root="parent", exp=int(NOW) + 10,
                 limits=TaskLimits(task=task, usd=1, tok=1),
                 ancestors=tuple(TaskLimits(task=a, usd=1, tok=1) for a in ancestors))


async def test_sub_tasks_outcome_is_the_result_of_the_call_that_asked_for_it(tasks):
    tenant = f"t-{uuid4().hex[:12]}"
    await waiting_parent(tasks, tenant)

    await host(tasks)(Delivery(outcome(tenant), granted(tenant)))

    seen = await tasks.look(tenant, "parent")
    assert seen.results["sub-call"]["result"]["output"] == "42"
    assert seen.missing == ("other",)


async def test_outcome_of_a_task_that_is_no_sub_task_is_refused(tasks):
    tenant = f"t-{uuid4().hex[:12]}"
    await waiting_parent(tasks, tenant)

    with pytest.raises(Permanent, match="no sub-task"):
        await host(tasks)(Delivery(outcome(tenant), granted(tenant, ancestors=())))

    assert (await tasks.look(tenant, "parent")).results == {}


async def test_event_of_another_agents_task_is_refused(tasks):
    tenant = f"t-{uuid4().hex[:12]}"
    await waiting_parent(tasks, tenant)

    with pytest.raises(Permanent, match="researcher's, not writer's"):
        await host(tasks, "writer")(Delivery(outcome(tenant), granted(tenant)))


async def test_outcome_that_nobody_waits_for_is_acknowledged(tasks):
    tenant = f"t-{uuid4().hex[:12]}"

    await host(tasks)(Delivery(outcome(tenant), granted(tenant)))

    assert await tasks.look(tenant, "parent") is None
