"""Pods end without a word while tasks run."""

import time

import pytest

from tests.cluster.stream import Stream
from tests.cluster.system import killed, redis_killed
from tests.system import until

pytestmark = pytest.mark.anyio

TASKS = 6
"""Enough that some have a call open, an event on its way, and a step to come."""


async def under_way(tenant, tasks):
    found = [await tenant.task(task) for task in tasks]
    return any(one["steps_used"] for one in found)


@pytest.mark.parametrize("function", ["researcher", "calculator", "ledger"])
async def test_tasks_survive_the_end_of_a_functions_pods(system, figures, function):
    tenant = system.tenant()
    stream = Stream(system, tenant)
    await stream.submit(1)
    await stream.assert_each_completed_once()  # everybody is awake

    tasks = await stream.submit(TASKS)
    await until(lambda: under_way(tenant, tasks), what="a task is under way")
    began, count = time.monotonic(), await killed(function)

    await stream.assert_each_completed_once()
    assert count >= 1
    figures[f"tasks done after {function} was killed"] = f"{time.monotonic() - began:.1f} s"


async def test_tasks_survive_the_end_of_redis(system, figures):
    tenant = system.tenant()
    stream = Stream(system, tenant)
    await stream.submit(1)
    await stream.assert_each_completed_once()

    tasks = await stream.submit(TASKS)
    await until(lambda: under_way(tenant, tasks), what="a task is under way")
    began = time.monotonic()
    await redis_killed()

    await stream.assert_each_completed_once()
    figures["tasks done after Redis was killed"] = f"{time.monotonic() - began:.1f} s"
