"""Parts of the broker's data plane die while tasks run: for a cluster that is disposable."""

from functools import partial

import pytest

from tests.kafka.over_broker import OverBroker
from tests.kafka.stories import tasks_survive

pytestmark = pytest.mark.anyio


async def test_no_task_is_lost_when_parts_of_the_broker_are_killed(broker, tmp_path):
    assert {"receiver", "dispatcher"} <= set(broker.parts)

    async with OverBroker(tmp_path, broker) as system:
        await tasks_survive(system, [partial(broker.crash, part) for part in broker.parts])
        assert system.unexpected() == []
