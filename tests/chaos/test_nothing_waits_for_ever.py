"""Takes away what a task needs, for good: it ends within its deadline with what it has."""

import asyncio
import time

import pytest
from pydantic import SecretStr

from shared.auth import Grant, TaskLimits, sign
from shared.http_client import plain_client
from shared.metering import Attribution, Call, Meter
from tests.system import GRANT_KEY, until

pytestmark = pytest.mark.anyio

LATE = "deadline exceeded"


async def ended(system, tenant, task):
    """Return the task once it is final; the watchdog goes its rounds, nothing is hastened."""
    await until(lambda: final(system, tenant, task), what="the task ends")
    return await tenant.task(task)


async def final(system, tenant, task):
    await system.rounds()
    found = await tenant.task(task)
    if found["status"] not in ("completed", "failed"):
        await asyncio.sleep(0.2)
        return False
    return True


async def at_step(tenant, task, step):
    await until(lambda: reached(tenant, task, step), what=f"step {step}")


async def reached(tenant, task, step):
    return (await tenant.task(task))["steps_used"] == step


async def test_a_task_whose_agent_always_fails_ends_with_the_reason(system, tenant):
    task = await tenant.submit("anything", agent="broken", deadline_s=60)

    found = await tenant.wait(task)

    assert found["status"] == "failed"
    assert found["error"].startswith("agent broken could not take dev.tollgate.task.submitted.v1")
    (letter,) = await until(tenant.resolved_letters)
    assert (letter["destination"], letter["code"]) == ("broken", 500)


async def test_a_task_whose_agent_never_starts_ends_at_its_deadline(system, tenant):
    task = await tenant.submit("anything", agent="deaf", deadline_s=4)

    found = await ended(system, tenant, task)

    assert found["status"] == "failed"
    assert found["error"] == LATE or found["error"].startswith("agent deaf could not take")


async def test_a_tool_that_never_answers_ends_the_task_with_its_partial_output(system, tenant):
    task = await tenant.submit("sleep 90", deadline_s=4)

    found = await ended(system, tenant, task)

    assert (found["status"], found["error"]) == ("failed", LATE)
    assert found["result"]["output"] == "I wait."
    assert found["result"]["duration_ms"] >= 4000


async def test_a_budget_that_never_returns_ends_the_task_with_its_partial_output(system, tenant):
    task = await tenant.submit("sleep 2", deadline_s=8)
    await at_step(tenant, task, 1)
    async with all_of_the_budget_held(system, tenant):
        found = await ended(system, tenant, task)

        assert (found["status"], found["error"]) == ("failed", LATE)
        assert found["result"]["output"] == "I wait."
        assert len(system.model_calls(task)) == 1


async def test_a_budget_that_returns_lets_the_task_go_on(system, tenant):
    task = await tenant.submit("sleep 1", deadline_s=60)
    await at_step(tenant, task, 1)
    async with all_of_the_budget_held(system, tenant):
        await until(lambda: waits(system, tenant, task), what="the task is put off")

    found = await ended(system, tenant, task)

    assert (found["status"], found["result"]["output"]) == (
        "completed", "The tool says: rested")


async def waits(system, tenant, task):
    """Tell whether the task has a time to wake at: its stream says so."""
    stream = f"tk:{{{tenant.name}}}:stream:{task}"
    return any("waits_s" in str(entry) for entry in await system.redis.xrange(stream))


class all_of_the_budget_held:  # noqa: N801 - reads as a statement
    """Another task's open call holds whatever the tenant's budget has."""

    def __init__(self, system, tenant):
        self._system, self._tenant = system, tenant

    async def __aenter__(self):
        tenant, limit = self._tenant, 10**9
        answer = await tenant.ask("PUT", f"/v1/budgets/tenant/{tenant.name}", at="ledger",
                                  json={"unit": "usd", "window": "life", "limit": limit})
        assert answer.is_success, answer.text
        self._client = plain_client(30)
        self._meter = Meter(self._system.addresses["ledger"], self._client)
        self._grant = sign(Grant(
            tenant=tenant.name, agent="other", session="other", root="other", ancestors=(),
            limits=TaskLimits(task="other", usd=10**15, tok=10**12),
            exp=int(time.time() + 600)), SecretStr(GRANT_KEY))
        left = limit - (await tenant.summary())["posted_nano"]
        await self._meter.hold(Call(  # a token of the offline model's output costs 600 nano-USD
            id=f"other-{tenant.name}", grant=self._grant, kind="llm", model="scripted/default",
            holder=1, lease_s=120, output_tokens_max=left // 600, attribution=Attribution(
                step=1, attempt=1, agent_version="1", env="test", trigger_source="/test",
                trigger_id="1")))

    async def __aexit__(self, *_):
        await self._meter.resolve(f"other-{self._tenant.name}", 1, grant=self._grant)
        await self._client.aclose()


async def test_a_ledger_that_stays_away_ends_the_task_with_its_partial_output(system, tenant):
    task = await tenant.submit("sleep 2", deadline_s=6)
    await at_step(tenant, task, 1)
    async with no_ledger(system):
        found = await ended(system, tenant, task)

        assert (found["status"], found["error"]) == ("failed", LATE)
        assert found["result"]["output"] == "I wait."
    summary, _ = await books_once_leases_end(system, tenant)
    assert summary["held_nano"] == 0


async def test_a_ledger_that_comes_back_lets_the_task_go_on(system, tenant):
    async with no_ledger(system):
        task = await tenant.submit("plain", deadline_s=60)
        await until(lambda: waits(system, tenant, task), what="the task is put off")

    found = await ended(system, tenant, task)

    assert (found["status"], found["result"]["output"]) == ("completed", "Done.")


class no_ledger:  # noqa: N801 - reads as a statement
    """The ledger's processes do not start."""

    def __init__(self, system):
        self._system = system
        self._path = system.service("ledger")._program.env["TOLLGATE_CATALOGUE"]

    async def __aenter__(self):
        self._system.restarted_with("ledger", TOLLGATE_CATALOGUE="/nowhere")
        await self._system.kill("ledger")

    async def __aexit__(self, *_):
        self._system.restarted_with("ledger", TOLLGATE_CATALOGUE=self._path)
        await until(self._is_back, what="the ledger is back")

    async def _is_back(self):
        self._system.forgive("ledger")
        answer = await self._system.http.get(self._system.addresses["ledger"] + "/health")
        return answer.is_success


async def books_once_leases_end(system, tenant):
    """Let open leases lapse, as time would, and return the closed books."""
    await system.lapse_holds(tenant)
    return await tenant.books()
