"""One trace id leads from the HTTP request to the last event, in spans and in logs."""

import json

import pytest

from tests.system import until

pytestmark = pytest.mark.anyio

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
ON_THE_WAY = {"gateway", "prober", "calculator", "notify", "ledger", "costs"}


@pytest.fixture(scope="module")
async def traced(system):
    """An errand whose caller brought a trace, once all it caused is over."""
    tenant = system.tenant()
    body = {"agent": "prober", "token_budget": 32768,
            "prompt": f"errand {system.hook.url('traced')}"}
    answer = await tenant.ask("POST", "/run", json=body, headers={"traceparent": PARENT})
    assert answer.json()["status"] == "completed"
    await tenant.books()
    await until(lambda: not any(t["pending"] for t in system.runtime.status()["triggers"]))
    return tenant, answer.json()["task_id"]


async def test_every_span_of_a_task_is_in_its_callers_trace(system, traced):
    _, task = traced

    spans = system.spans(task)

    assert {span["trace_id"] for span in spans} == {TRACE}
    assert {"agent.run", "agent.step", "agent.llm_call", "agent.tool_call"} <= {
        span["name"] for span in spans}


async def test_every_function_on_the_way_wrote_into_the_trace(system, traced):
    found = {line["function"] for line in system.lines() if line.get("trace_id") == TRACE}

    assert found >= ON_THE_WAY


async def test_spans_are_nested_as_the_loop_is(system, traced):
    _, task = traced
    spans = {s["span_id"]: s for s in system.lines() if s.get("kind") == "span"}
    of = {"agent.llm_call": "agent.step", "agent.step": "agent.run"}

    for span in system.spans(task):
        if span["name"] in of:
            assert spans[span["parent_id"]]["name"] == of[span["name"]]


async def test_events_steps_and_costs_name_the_trace(system, traced):
    tenant, task = traced

    assert (await tenant.task(task))["trace_id"] == TRACE
    assert {step["trace_id"] for step in await tenant.steps(task)} == {TRACE}
    assert (await tenant.invocations(task))["trace_id"] == TRACE


async def test_a_logged_failure_is_in_the_trace(system):
    tenant = system.tenant()
    body = {"agent": "broken", "prompt": "anything"}
    trace = TRACE[::-1]
    answer = await tenant.ask("POST", "/tasks", json=body,
                              headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"})
    await tenant.wait(answer.json()["id"])

    logged = [line for line in system.lines("broken") if "exception" in line]

    assert logged
    assert {line["trace_id"] for line in logged} == {trace}
    assert "this agent always fails" in json.dumps(logged)
