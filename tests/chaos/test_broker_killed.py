"""The broker dies while tasks run, its store with it."""

from functools import partial

import pytest

from tests.kafka.over_broker import OverBroker
from tests.kafka.separate import SeparateBroker
from tests.kafka.stories import tasks_survive

pytestmark = pytest.mark.anyio


async def test_no_task_is_lost_when_the_broker_is_killed(tmp_path):
    (tmp_path / "broker").mkdir()
    broker = SeparateBroker(tmp_path / "broker")
    await broker.start()
    try:
        async with OverBroker(tmp_path / "system", broker) as system:
            await tasks_survive(system, [partial(broker.crash, "broker")] * 2)
            assert system.unexpected() == []
    finally:
        await broker.stop()
