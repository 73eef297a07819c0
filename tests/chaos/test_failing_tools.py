"""Tools that crash, hang, flood or die: the agent reads what happened and goes on."""

import pytest

from tests.system import until

pytestmark = pytest.mark.anyio


async def told(tenant, task):
    found = await tenant.wait(task)
    assert (found["status"], found["error"]) == ("completed", None)
    return found["result"]["output"].removeprefix("The tool says: ")


@pytest.mark.parametrize(("prompt", "said"), [
    ("bug", "raiser crashed: ZeroDivisionError"),
    ("hang", "hanger took longer than 1 s"),
    ("flood", "the result has 10485762 bytes, the maximum is 1048576: ask for a part of it"),
])
async def test_a_tool_that_misbehaves_is_an_error_for_the_model(system, tenant, prompt, said):
    task = await tenant.submit(prompt)

    assert await told(tenant, task) == said
    summary, gaps = await tenant.books()
    assert summary["events"] == summary["terminal"] == 3
    assert gaps["gapless"]
    assert await tenant.letters() == []


async def test_a_tool_that_dies_in_every_run_is_given_up_after_three(system, tenant):
    mark = system.mark()
    task = await tenant.submit("crash")

    await until(lambda: gone_on(system, tenant, task), what="three runs")

    assert await told(tenant, task) == "crasher died in 3 runs of this call"
    assert [r["function"] for r in system.records("died", mark)] == ["crasher"] * 3
    summary, _ = await tenant.books()
    assert summary["events"] == summary["terminal"]
    assert summary["states"]["FORFEITED"] == 3


async def gone_on(system, tenant, task):
    await system.lapse(tenant)  # the dead runner's lease ends
    return (await tenant.task(task))["status"] == "completed"


async def test_a_tool_that_may_run_once_is_not_run_again_after_a_kill(system, tenant):
    file = system.folder / tenant.name
    task = await tenant.submit(f"once {file}")

    await until(lambda: gone_on(system, tenant, task), what="the model is told")

    assert (await told(tenant, task)).startswith("unknown_outcome: the run started")
    assert file.read_text() == "done\n"
    summary, _ = await tenant.books()
    assert summary["events"] == summary["terminal"] == 3


async def test_a_tool_that_always_dies_dead_letters_and_the_agent_goes_on(system, tenant):
    task = await tenant.submit("die", deadline_s=29)  # no time for a redrive after 30 s

    said = await told(tenant, task)

    assert said.startswith("the tool could not be reached: no answer")
    (letter,) = await until(tenant.resolved_letters)
    assert (letter["destination"], letter["type"]) == (
        "dying", "dev.tollgate.tool.requested.v1")
    (_, asked) = await tenant.steps(task)
    assert asked["step"] == 2


async def test_bad_arguments_wake_no_tool_and_tell_the_model(system, tenant):
    mark = system.mark()

    found = await tenant.ran("bad arguments")

    unknown, wrong = found["result"]["output"].split(" | ")
    assert unknown.startswith("there is no tool 'telephone'; there are: calculator")
    assert "seconds: 'many' is not of type 'number'" in wrong
    assert "'loudly' was unexpected" in wrong
    woken = {r["type"] for r in system.records("event", mark) if r["task"] == found["id"]}
    assert "dev.tollgate.tool.requested.v1" not in woken
    assert not system.service("sleeper").status()["woken"]
