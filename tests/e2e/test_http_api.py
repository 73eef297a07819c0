"""The public HTTP API, of the gateway and of an agent itself."""

import asyncio
import json

import pytest

from tests.system import until

pytestmark = pytest.mark.anyio

DOORS = ["gateway", "prober"]
TASK = {"agent": "prober", "prompt": "plain", "token_budget": 32768}


@pytest.mark.parametrize("door", DOORS)
async def test_run_waits_and_answers_the_result(tenant, door):
    answer = await tenant.ask("POST", "/run", at=door, json=TASK)

    assert answer.status_code == 200
    result = answer.json()
    assert (result["status"], result["output"], result["error"]) == ("completed", "Done.", None)
    assert (result["steps_used"], result["tool_calls"]) == (1, 0)
    assert result["tokens_used"] > 0
    assert float(result["cost_usd"]) > 0


async def test_run_waits_for_a_slow_task_without_a_process_of_its_agent_for_the_wait(tenant):
    first, second = await asyncio.gather(*(
        tenant.ask("POST", "/run", json=TASK | {"prompt": "slow"}) for _ in range(2)))

    assert {first.json()["output"], second.json()["output"]} == {"At last."}


@pytest.mark.parametrize("door", DOORS)
async def test_a_task_is_accepted_once_per_idempotency_key(tenant, door):
    asked = {"at": door, "headers": {"idempotency-key": "k1"}}
    first = await tenant.ask("POST", "/tasks", json=TASK, **asked)
    again = await tenant.ask("POST", "/tasks", json=TASK, **asked)
    other = await tenant.ask("POST", "/tasks", json=TASK | {"prompt": "eight"}, **asked)

    assert (first.status_code, again.status_code, other.status_code) == (202, 202, 422)
    assert first.json()["id"] == again.json()["id"]
    assert first.headers["location"] == f"/tasks/{first.json()['id']}"
    assert "Idempotency-Key" in other.json()["detail"]
    task = await tenant.wait(first.json()["id"])
    assert len(tenant.system.model_calls(task["id"])) == 1


async def streamed(tenant, task, last_id=None, door="gateway"):
    """Return (id, event, data) of a task's whole stream."""
    found, current = [], {}
    headers = tenant.headers | ({"last-event-id": last_id} if last_id else {})
    url = f"{tenant.system.addresses[door]}/tasks/{task}/events"
    async with tenant.system.http.stream("GET", url, headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        async for line in answer.aiter_lines():
            name, _, value = line.partition(": ")
            if name in ("id", "event", "data"):
                current[name] = value
            elif not line and "event" in current:
                data = json.loads(current["data"])
                found.append((current.get("id"), current["event"], data))
                current = {}
    return found


@pytest.mark.parametrize("door", DOORS)
async def test_a_stream_tells_everything_and_resumes_after_an_id(system, tenant, door):
    task = await tenant.submit(f"errand {system.hook.url('sse')}")

    whole = await streamed(tenant, task, door=door)

    kept = [entry for entry in whole if entry[0]]
    ids = [tuple(map(int, ident.split("-"))) for ident, _, _ in kept]
    assert ids == sorted(set(ids))
    assert [event for _, event, _ in kept].count("step") == 3
    assert [event for _, event, _ in kept].count("tool") == 3
    assert {"cost", "status"} <= {event for _, event, _ in kept}
    _, event, data = kept[-1]
    assert (event, data["status"], data["output"]) == ("end", "completed", "6 and 7: told 204")
    middle = len(kept) // 2
    assert await streamed(tenant, task, kept[middle][0], door) == kept[middle + 1:]
    assert await streamed(tenant, task, kept[-2][0], door) == kept[-1:]


async def test_tokens_are_streamed_while_they_come(tenant):
    task = await tenant.submit("sleep 1")

    texts = [data["text"] for _, event, data in await streamed(tenant, task) if event == "token"]

    assert "".join(texts).endswith("The tool says: rested")


async def test_a_list_is_paged_newest_first_and_filtered(tenant):
    tasks = [(await tenant.ran("plain"))["id"] for _ in range(5)]

    seen, cursor = [], None
    while True:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = await tenant.got("/tasks", params=query)
        seen.append([task["id"] for task in page["tasks"]])
        cursor = page["next"]
        if cursor is None:
            break

    assert [task for page in seen for task in page] == tasks[::-1]
    assert max(len(page) for page in seen) == 2
    by_status = await tenant.got("/tasks", params={"status": "completed"})
    assert {t["id"] for t in by_status["tasks"]} == set(tasks)
    assert (await tenant.got("/tasks", params={"status": "failed"}))["tasks"] == []
    assert (await tenant.got("/tasks", params={"agent": "broken"}))["tasks"] == []
    for query in ({"limit": 0}, {"limit": 201}, {"status": "lost"}, {"colour": "red"}):
        assert (await tenant.ask("GET", "/tasks", params=query)).status_code == 422


async def test_a_cancelled_task_ends_and_its_tools_result_is_charged(system, tenant):
    task = await tenant.submit("sleep 2")
    await until(lambda: tool_runs(tenant), what="the tool runs")

    answer = await tenant.ask("DELETE", f"/tasks/{task}", params={"reason": "changed my mind"})

    assert answer.status_code == 202
    found = await tenant.wait(task)
    assert (found["status"], found["error"]) == ("cancelled", "changed my mind")
    assert found["result"]["output"] == "I wait."
    again = await tenant.ask("DELETE", f"/tasks/{task}")
    assert (again.status_code, again.json()["status"]) == (200, "cancelled")
    summary, _ = await tenant.books()
    assert summary["states"]["SETTLED"] == summary["terminal"] == 2
    assert len(system.model_calls(task)) == 1


async def tool_runs(tenant):
    summary = await tenant.summary()
    return summary["states"]["SETTLED"] == summary["pending"] == 1


@pytest.mark.parametrize("door", DOORS)
async def test_steps_show_calls_with_what_became_of_them(system, tenant, door):
    task = await tenant.submit(f"errand {system.hook.url('steps')}")
    await tenant.wait(task)

    steps = (await tenant.got(f"/tasks/{task}/steps", at=door))["steps"]

    assert [step["step"] for step in steps] == [1, 2, 3]
    assert [[call["tool"] for call in step["calls"]] for step in steps] == [
        ["calculator", "calculator"], ["notify"], []]
    assert '"6"' in steps[0]["calls"][0]["result"]
    assert all(step["model"] == "scripted/default" for step in steps)
    assert sum(step["cost_nano"] for step in steps) > 0


async def test_an_agent_serves_its_own_routes(tenant):
    health = await tenant.got("/health", at="prober")
    ready = await tenant.got("/ready", at="prober")
    document = await tenant.got("/openapi.json", at="prober")
    metrics = await tenant.ask("GET", "/metrics", at="prober")

    assert health == {"status": "ok"}
    assert ready == {"status": "ready", "checks": {"redis": "ok", "model": "ok"}}
    assert document["openapi"].startswith("3.")
    assert {"/run", "/tasks", "/tasks/{id}", "/tasks/{id}/steps", "/tasks/{id}/events"} <= set(
        document["paths"])
    assert metrics.headers["content-type"].startswith("text/plain")
    assert "python_info" in metrics.text


async def test_the_gateway_names_its_agents(tenant):
    found = (await tenant.got("/agents"))["agents"]

    assert {"researcher", "prober"} <= {agent["name"] for agent in found}


async def test_an_agent_takes_tasks_of_its_own_only(tenant):
    answer = await tenant.ask("POST", "/tasks", at="prober", json=TASK | {"agent": "researcher"})

    assert answer.status_code == 404
    assert answer.json()["agents"] == ["prober"]


async def test_tenants_do_not_see_each_other(system, tenant):
    other = system.tenant()
    task = (await tenant.ran("plain"))["id"]

    for method, path in (("GET", ""), ("GET", "/steps"), ("GET", "/events"), ("DELETE", "")):
        answer = await other.ask(method, f"/tasks/{task}{path}")
        assert answer.status_code == 404, (method, path)
    assert (await other.got("/tasks"))["tasks"] == []
    assert (await other.summary())["posted_nano"] == 0
    assert (await other.ask("GET", f"/v1/costs/tasks/{task}", at="costs")).status_code == 404
    assert (await tenant.ask("GET", "/v1/costs", at="costs",
                             params={"tenant": other.name})).status_code == 403


async def test_the_same_idempotency_key_of_two_tenants_is_two_tasks(system, tenant):
    other = system.tenant()

    mine, theirs = [await t.submit("plain", key="same") for t in (tenant, other)]

    assert mine != theirs


async def test_an_event_from_outside_becomes_a_task(tenant):
    headers = {"ce-specversion": "1.0", "ce-id": "order-1", "ce-source": "/shop",
               "ce-type": "dev.tollgate.task.submitted.v1", "content-type": "application/json"}
    asked = {"agent": "prober", "prompt": "plain", "token_budget": 32768}

    first = await tenant.ask("POST", "/events", json=asked, headers=headers)
    again = await tenant.ask("POST", "/events", json=asked, headers=headers)

    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["location"] == again.json()["location"] == first.headers["location"]
    found = await tenant.wait(first.json()["id"])
    assert found["result"]["output"] == "Done."
    assert len(tenant.system.model_calls(found["id"])) == 1
