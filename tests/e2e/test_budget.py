"""Fifty tasks against a budget that admits twenty."""

import asyncio
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from shared.auth import Grant, TaskLimits, sign
from tests.system import GRANT_KEY, until

pytestmark = pytest.mark.anyio

TASKS, ADMITTED = 50, 20


async def price(system):
    """Return what one task costs: it spends exactly what it reserves."""
    other = system.tenant()
    await other.ran("spend all 00")
    return (await other.summary())["posted_nano"]


async def test_fifty_tasks_at_once_spend_what_twenty_may(system, tenant):
    each = await price(system)
    limit = ADMITTED * each
    answer = await tenant.ask("PUT", f"/v1/budgets/tenant/{tenant.name}", at="ledger",
                              json={"unit": "usd", "window": "life", "limit": limit})
    assert answer.is_success
    samples = []
    sampling = asyncio.create_task(sampled(tenant, samples))

    tasks = await asyncio.gather(*(tenant.submit(f"spend all {n:02}") for n in range(TASKS)))
    await until(lambda: all_final(system, tenant), what="all are final")
    found = [await tenant.task(task) for task in tasks]
    sampling.cancel()

    ran = [task for task in found if task["error"] is None]
    assert len(ran) == ADMITTED
    assert {task["result"]["output"] for task in ran} == {"Spent."}
    assert max(samples) <= limit
    assert len(samples) > 10
    summary, gaps = await tenant.books()
    await assert_the_rest_is_denied(tenant, each, [task for task in found if task["error"]])
    assert summary["posted_nano"] == limit
    assert summary["states"]["SETTLED"] == sum(len(system.model_calls(t)) for t in tasks) == 20
    assert gaps["gapless"]


async def sampled(tenant, samples):
    path = f"/v1/budgets/tenant/{tenant.name}/usage"
    while True:
        usage = await tenant.got(path, at="ledger")
        samples.append(admitted(usage))
        await asyncio.sleep(0.01)


def admitted(usage):
    """Return what is posted and held in nano-USD."""
    usd = usage["units"]["usd"]
    return usd["posted"] + usd["held"]


async def all_final(system, tenant):
    await system.rounds()  # whoever met only open holds is woken when its time comes
    open_tasks = 0
    for status in ("pending", "running"):
        page = await tenant.got("/tasks", params={"status": status, "limit": 200})
        open_tasks += len(page["tasks"])
    if open_tasks:
        await asyncio.sleep(0.3)
    return not open_tasks


async def assert_the_rest_is_denied(tenant, each, denied):
    assert len(denied) == TASKS - ADMITTED
    for task in denied:
        assert task["error"].startswith("cost budget exceeded: account tenant|")
        assert task["error"].endswith("has $0 (spent)")
    denials = (await tenant.got("/v1/denials", at="costs", params={"limit": 200}))["denials"]
    assert {d["task"] for d in denials} == {task["id"] for task in denied}
    assert {d["reason"] for d in denials} == {"spent"}
    assert {d["account"].split("|")[:2] == ["tenant", tenant.name] for d in denials} == {True}
    assert all(0 < d["need"] <= each and d["have"] == 0 for d in denials)


def grant(tenant, key=GRANT_KEY):
    return sign(Grant(tenant=tenant, agent="prober", session="s", root="r", exp=2**33,
                      limits=TaskLimits(task="r", usd=10**9, tok=32768)), SecretStr(key))


def submitted(tenant, token):
    """Return the event of a task that no gateway accepted."""
    headers = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/gateway",
               "ce-type": "dev.tollgate.task.submitted.v1", "ce-agent": "prober",
               "ce-tenantid": tenant, "ce-taskid": "r", "content-type": "application/json"}
    task = {"id": "r", "session_id": "s", "agent": "prober", "prompt": "plain", "max_steps": 3,
            "token_budget": 8192, "cost_budget_nano": 10**9, "deadline_s": 60}
    return headers | ({"ce-grant": token} if token else {}), {"task": task}


@pytest.mark.parametrize("forged", [
    None, "not.a.grant", grant("t0", key="another key of thirty-two characters")],
    ids=["missing", "garbage", "signed by another"])
async def test_a_grant_that_is_not_ours_spends_nothing(system, tenant, forged):
    mark = system.mark()
    headers, body = submitted(tenant.name, forged)
    accepted = await system.http.post(system.addresses["broker"], headers=headers, json=body)
    assert accepted.status_code == 202  # the broker's ingress knows no grants

    await until(lambda: system.records("dead_letter", mark), what="the event is refused")

    (dead,) = system.records("dead_letter", mark)
    assert (dead["code"], dead["trigger"]) == (401, "prober-task-submitted")
    assert (await tenant.ask("GET", "/tasks/r")).status_code == 404
    summary = await tenant.summary()
    assert (summary["posted_nano"], summary["reservations"], summary["events"]) == (0, 0, 0)


@pytest.mark.parametrize("forged", ["", "not.a.grant", grant("t0", key="x" * 40)])
async def test_the_ledger_reserves_for_no_grant_that_is_not_ours(system, tenant, forged):
    call = {"id": "one", "kind": "llm", "model": "scripted/default", "holder": 1, "lease_s": 30,
            "input_tokens_max": 1, "output_tokens_max": 1, "attribution": {
                "step": 1, "attempt": 1, "agent_version": "1", "env": "test",
                "trigger_source": "/x", "trigger_id": "1"}}

    answer = await system.http.post(system.addresses["ledger"] + "/v1/reservations", json=call,
                                    headers={"tollgate-grant": forged} if forged else {})

    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert (await tenant.summary())["reservations"] == 0


async def limit_calculator(tenant, limit):
    answer = await tenant.ask("PUT", "/v1/budgets/tool/calculator", at="ledger", json={
        "unit": "calls", "window": "life", "limit": limit, "policy": "pause"})
    assert answer.is_success, answer.text


async def is_paused(tenant, task):
    return (await tenant.task(task))["status"] == "paused"


async def test_task_whose_tool_has_no_budget_sleeps_until_it_is_raised(system, tenant):
    await limit_calculator(tenant, 1)  # the step asks for two
    task = await tenant.submit(f"errand {system.hook.url(tenant.name)}")
    await until(lambda: is_paused(tenant, task), what="the task is paused")
    assert len(system.model_calls(task)) == 1
    waiting = (await tenant.task(task))["waiting"]
    assert "calculator" in waiting["reason"]
    assert waiting["until"] > datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    (listed,) = (await tenant.ask("GET", "/tasks?status=paused")).json()["tasks"]
    assert (listed["id"], listed["waiting"]) == (task, waiting)

    await limit_calculator(tenant, 2)

    found = await tenant.wait(task)
    assert found["waiting"] is None
    assert (found["status"], found["result"]["output"]) == ("completed", "6 and 7: told 204")
    assert len(system.model_calls(task)) == 3
    summary, gaps = await tenant.books()
    assert summary["states"]["SETTLED"] == 6
    assert gaps["gapless"]
    said = [r["type"] for r in system.records("event") if r["task"] == task]
    assert said.count("dev.tollgate.task.paused.v1") == 1
    assert await tenant.own_letters() == []


async def test_task_whose_tool_has_no_budget_looks_again_by_itself(system, tenant):
    await limit_calculator(tenant, 0)
    task = await tenant.submit("eight")
    await until(lambda: is_paused(tenant, task), what="the task is paused")
    for _ in range(3):  # woken early, it sleeps again
        await system.overdue(tenant)
        await system.rounds()
    assert await is_paused(tenant, task)
    stored = f"lg:{{{tenant.name}}}:lim"
    fields = await system.redis.hgetall(stored)
    (name,) = [one for one in fields if one.startswith("tool|")]
    async with system.redis.pipeline() as pipe:  # raised where nobody wakes the tasks
        pipe.hdel(stored, name)
        pipe.hincrby(stored, "version", 1)
        await pipe.execute()

    await until(lambda: awake(system, tenant, task), what="the task goes on")

    assert (await tenant.wait(task))["result"]["output"] == "1234 5678"


async def awake(system, tenant, task):
    await system.overdue(tenant)
    await system.rounds()
    return not await is_paused(tenant, task)
