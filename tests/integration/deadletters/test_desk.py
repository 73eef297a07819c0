"""The dead letters' deeds with a real store; the broker is a list of what was published."""

import json
from uuid import uuid4

import pytest

from eventing.adapter import Delivery
from eventing.event import Event
from eventing.outbox import Outbox
from eventing.task_cost import Posted
from eventing.task_events import stored, submitted, tool_requested
from eventing.task_failing import Failing
from eventing.types import PING
from functions.agents.loop import Think, plan
from functions.deadletters.desk import NOBODY, Desk
from functions.deadletters.letter import BACK_OFF_S, Letter
from functions.deadletters.shelf import Shelf
from shared.auth import verify
from shared.metering import TaskUsage, Unavailable
from shared.store import connect
from shared.tasks.claims import Claims
from shared.tasks.contract import Status
from shared.tasks.store import Commit, Tasks
from shared.toolcalls.rows import Calls
from tests.states import KEY, NOW, call, state

pytestmark = pytest.mark.anyio


class Published(list):
    """A broker that takes everything."""

    async def publish(self, event):
        self.append(event)


class Scene:
    """One tenant, its running task, and the desk."""

    def __init__(self, redis):
        self.now, self.published = NOW, Published()
        self.tenant = f"t-{uuid4().hex[:12]}"
        self.tasks, self.shelf, self.claims = Tasks(redis), Shelf(redis), Claims(redis)
        self.calls = Calls(redis)
        self.posted_nano = None
        outbox = Outbox(self.tasks, self.published, silence_s=300)
        self.desk = Desk(self.shelf, self.tasks, self.claims, self.calls, grant_key=KEY,
                         publisher=self.published, clock=lambda: self.now,
                         failing=Failing(self.tasks, outbox, Posted(self, lambda: self.now),
                                         lambda: self.now))

    async def usage(self, *_):
        """Answer as the ledger does: what the task and its sub-tasks cost."""
        if self.posted_nano is None:
            raise Unavailable("ledger: no answer")
        return TaskUsage(posted_nano=self.posted_nano, held_nano=0, posted_tok=0, held_tok=0,
                         reservations={})

    async def begin(self):
        """Store a task that waits for one call of the calculator; return its start and its call."""
        task = state("t1", tenant=self.tenant)
        start = submitted(task)
        event, = stored([start])
        await self.tasks.submit(task, event, due_at=NOW + 5)
        await self.tasks.published(task, [start.id], NOW + 300)
        return start

    async def ask(self):
        """Take the task's first step, which asks the calculator."""
        seen = await self.tasks.look(self.tenant, "t1")
        asked = seen.state.but(step=1, calls=(call(),), status=Status.RUNNING)
        await self.tasks.commit(Commit(before=seen, state=asked, due_at=NOW, awaited=["c1"]))
        return tool_requested(asked, asked.calls[0])

    async def die(self, event, function, code):
        """Hand the desk the event as a broker does that could not deliver it."""
        await self.desk(Delivery(event.extended(
            knativeerrordest=f"http://{function}.tollgate.svc.cluster.local",
            knativeerrorcode=code), None))

    async def letters(self):
        return await self.shelf.page(self.tenant, 10)

    async def task(self):
        return (await self.tasks.look(self.tenant, "t1")).state


@pytest.fixture
async def scene(redis_url):
    redis = connect(redis_url)
    yield Scene(redis)
    await redis.aclose()


async def test_refused_start_fails_the_task_and_its_outcome_goes_out(scene):
    await scene.die(await scene.begin(), "researcher", 422)

    task = await scene.task()
    assert (task.status, (await scene.letters())[0].status) == (Status.FAILED, "resolved")
    assert "422" in task.error
    assert [e.type for e in scene.published] == ["dev.tollgate.task.completed.v1"]


async def test_task_that_is_failed_here_costs_what_the_ledger_posted(scene):
    scene.posted_nano = 1_234_567_891  # its agent died before it was told

    await scene.die(await scene.begin(), "researcher", "422")

    assert (await scene.task()).cost_nano == 1_234_567_891
    ended = scene.published[-1]
    assert ended.json()["result"]["cost_usd"] == "1.234567891"


async def test_task_that_is_failed_while_the_ledger_is_away_costs_what_its_agent_was_told(scene):
    await scene.die(await scene.begin(), "researcher", "422")

    task = await scene.task()
    assert (task.status, task.cost_nano) == (Status.FAILED, 0)


async def test_late_letter_of_a_step_that_was_taken_fails_nothing(scene):
    start = await scene.begin()
    await scene.ask()

    await scene.die(start, "researcher", 422)

    assert (await scene.task()).status is Status.RUNNING
    assert (await scene.letters())[0].status == "stored"


async def test_letter_of_a_step_that_somebody_holds_fails_nothing(scene):
    start = await scene.begin()

    async with scene.claims.hold(scene.tenant, "t1", 1):
        await scene.die(start, "researcher", 422)

    assert (await scene.task()).status is Status.PENDING


async def test_tool_that_refuses_answers_its_call_with_an_error_the_model_can_read(scene):
    await scene.begin()
    await scene.die(await scene.ask(), "calculator", 422)

    answer, = scene.published
    assert answer.get("replyto") == "researcher"
    assert json.loads(answer.data)["error"]["code"] == "dead_letter"


async def test_call_that_has_an_outcome_is_answered_with_that(scene):
    await scene.begin()
    asked = await scene.ask()
    async with scene.calls.take(scene.tenant, "c1") as row:
        begun = await scene.calls.start(row)
        done = {"call_id": "c1", "tool": "calculator", "version": "1.0.0", "result": 5}
        await scene.calls.answer(begun, json.dumps(done))

    await scene.die(asked, "calculator", 422)

    assert json.loads(scene.published[0].data)["result"] == 5


async def test_transient_failure_is_published_again_when_its_time_has_come(scene):
    start = await scene.begin()
    await scene.die(start, "researcher", 503)
    timer = Delivery(Event(id="1", source="/timer", type=PING), None)

    await scene.desk(timer)
    assert [e for e in scene.published if e.id == start.id] == []
    scene.now += BACK_OFF_S
    await scene.desk(timer)
    await scene.desk(timer)

    again, = [e for e in scene.published if e.id == start.id]
    assert again == start.extended(redrives=1)
    assert (await scene.letters())[0].status == "redriven"


async def test_redrive_by_hand_opens_the_failed_task_again_with_a_fresh_grant(scene):
    start = await scene.begin()
    await scene.die(start, "researcher", 422)
    scene.now += 10**6  # long after the deadline
    letter, = await scene.letters()
    scene.published.clear()

    await scene.desk.redrive(letter, by_hand=True)

    seen = await scene.tasks.look(scene.tenant, "t1")
    assert (seen.state.status, seen.state.reopened) == (Status.RUNNING, 1)
    assert plan(seen, scene.now) == Think(1)
    again, = scene.published
    assert again.id == start.id
    assert verify(again.get("grant"), KEY, fresh_at=scene.now).task == "t1"
    async with scene.claims.hold(scene.tenant, "t1", 1) as claim:
        assert claim.record == {}


async def test_event_without_a_grant_is_kept_where_administrators_look(scene):
    event = Event(id=uuid4().hex, source="/shop", type="com.example.order")

    await scene.desk(Delivery(event, None))

    kept: list[Letter] = await scene.shelf.page(NOBODY, 50)
    letter = next(one for one in kept if one.event_id == event.id)
    assert (letter.destination, letter.cause) == (
        "nobody", "no Trigger takes events of this type")
