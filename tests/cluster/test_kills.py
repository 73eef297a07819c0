"""Pods end without a word while tasks run."""

import time

import pytest

from tests.cluster.stream import Stream
from tests.cluster.system import killed, redis_killed, redis_starts
from tests.system import until

pytestmark = pytest.mark.anyio

BURST = 8
"""Enough that some have a call open, an event on its way, and a step to come."""

MORE = 6


async def survived(system, kill):
    """Let tasks flow, kill, let them flow on; check all of them. Return the seconds it took."""
    tenant = system.tenant()
    stream = Stream(system, tenant)
    await stream.submit(1)
    await stream.assert_each_completed_once()  # everybody is awake
    async with stream.flowing():
        await stream.submit(BURST)
        began, told = time.monotonic(), await kill()
        count = len(stream.tasks)
        await until(lambda: len(stream.tasks) >= count + MORE, what="tasks flow on")
    await stream.assert_each_completed_once()
    return told, time.monotonic() - began


async def started_again(before):
    return await redis_starts() == before + 1


@pytest.mark.parametrize("function", ["researcher", "calculator", "ledger"])
async def test_tasks_survive_the_end_of_a_functions_pods(system, figures, function):
    count, took_s = await survived(system, lambda: killed(function))

    assert count >= 1
    figures[f"all tasks done after {function} was killed"] = f"{took_s:.1f} s"


async def test_tasks_survive_the_end_of_redis(system, figures):
    before = await redis_starts()

    async def killed_for_certain():
        await redis_killed()
        await until(lambda: started_again(before), what="Redis is started again")

    _, took_s = await survived(system, killed_for_certain)

    figures["all tasks done after Redis was killed"] = f"{took_s:.1f} s"
