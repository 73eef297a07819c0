"""What a flush says when several events cannot be published."""

import pytest

from eventing.outbox import Outbox
from eventing.task_events import completed, stored, submitted
from shared.errors import Permanent, Transient
from shared.tasks.contract import Status
from tests.states import NOW, state

pytestmark = pytest.mark.anyio


class Broker:
    """Fails for some types of event, and keeps what it took."""

    def __init__(self, **failures):
        self.taken = []
        self._failures = failures

    async def publish(self, event):
        noun = event.type.split(".")[3]
        if noun in self._failures:
            raise self._failures[noun]
        self.taken.append(noun)


class Tasks:
    def __init__(self):
        self.marked = []

    async def published(self, state, ids, next_look):
        self.marked += ids


TASK = state("task")
BODIES = dict(stored([submitted(TASK), completed(TASK.ended(Status.COMPLETED, NOW))]))


async def flush(broker):
    tasks = Tasks()
    await Outbox(tasks, broker, silence_s=1).flush(TASK, BODIES, NOW)
    return tasks.marked


async def test_all_published_are_marked():
    assert await flush(Broker()) == list(BODIES)


@pytest.mark.parametrize("failures", [
    {"submitted": Transient("away"), "completed": Transient("away")},
    {"submitted": Permanent("refused"), "completed": Transient("away")}], ids=["both", "one"])
async def test_broker_that_is_away_is_no_bug_of_ours(failures):
    with pytest.raises(Transient, match="away"):
        await flush(Broker(**failures))


async def test_refused_event_keeps_no_other_from_being_published():
    broker = Broker(submitted=Permanent("refused"))

    with pytest.raises(Permanent, match="refused"):
        await flush(broker)

    assert broker.taken == ["completed"]
