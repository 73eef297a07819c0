"""A process that is told to stop ends what would go on; who waits goes on where it was."""

import asyncio
import os
import signal
from uuid import uuid4

import pytest

from tests.e2e.test_http_api import streamed
from tests.system import until

pytestmark = pytest.mark.anyio


async def test_stream_of_a_process_told_to_stop_ends_and_loses_nothing(system, tenant):
    task = await tenant.submit("sleep 4")
    first = []
    url = f"{system.addresses['gateway']}/tasks/{task}/events"

    async with system.http.stream("GET", url, headers=tenant.headers) as answer:
        told = set(system.pids("gateway"))
        async for line in answer.aiter_lines():
            name, _, value = line.partition(": ")
            if name == "id":
                first.append(value)
                for pid in told if len(first) == 1 else ():
                    os.kill(pid, signal.SIGTERM)

    await until(lambda: told.isdisjoint(system.pids("gateway")), what="the process is gone")
    assert (await tenant.task(task))["status"] != "completed", "its stream outlived the task"
    rest = [ident for ident, _, _ in await streamed(tenant, task, first[-1]) if ident]
    whole = [ident for ident, _, _ in await streamed(tenant, task) if ident]
    assert first + rest == whole


async def test_wait_of_a_process_told_to_stop_ends_with_the_address_of_the_task(system, tenant):
    task = str(uuid4())
    waiting = asyncio.create_task(tenant.ask("POST", "/run", json={
        "agent": "prober", "prompt": "sleep 4", "id": task}))
    await until(lambda: system.model_calls(task), what="the task runs")
    told = set(system.pids("gateway"))

    for pid in told:
        os.kill(pid, signal.SIGTERM)

    answer = await waiting
    assert (answer.status_code, answer.headers["location"]) == (202, f"/tasks/{task}")
    assert answer.json()["status"] in ("pending", "running")
    await until(lambda: told.isdisjoint(system.pids("gateway")), what="the process is gone")
    assert (await tenant.wait(task))["status"] == "completed"
