"""Redis away: everything answers 503, loses nothing, and recovers when it returns."""

import asyncio
import os
import signal

import pytest

from tests.frozen import frozen

pytestmark = pytest.mark.anyio

TASK = {"agent": "prober", "prompt": "plain", "token_budget": 32768}


async def test_without_redis_requests_get_503_and_recover(system, tenant):
    before = (await tenant.ran("plain"))["id"]
    event = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/x", "ce-type": "a.b"}

    with frozen(system.runtime._embedded.pid):
        submitted, read, published = await asyncio.gather(
            tenant.ask("POST", "/tasks", json=TASK, headers={"idempotency-key": "again"}),
            tenant.ask("GET", f"/tasks/{before}"),
            system.http.post(system.addresses["broker"], headers=event))

    for answer in (submitted, read):
        assert answer.status_code == 503
        assert answer.headers["content-type"].startswith("application/problem+json")
    assert published.status_code == 503
    task = await tenant.submit("plain", key="again")
    assert (await tenant.wait(task))["status"] == "completed"
    assert (await tenant.task(before))["status"] == "completed"
    summary, gaps = await tenant.books()
    assert summary["states"]["SETTLED"] == summary["events"] == 2
    assert gaps["gapless"]


async def test_a_task_survives_redis_being_killed(system, tenant):
    task = await tenant.submit(f"errand {system.hook.url('redis')}")

    os.kill(system.runtime._embedded.pid, signal.SIGKILL)
    await system.lapse_when_back(tenant)

    found = await tenant.wait(task)
    assert (found["status"], found["result"]["output"]) == ("completed", "6 and 7: told 204")
    assert len(set(system.hook.keys("redis"))) == 1
    assert set(map(system.model_calls(task).count, system.model_calls(task))) == {1}
