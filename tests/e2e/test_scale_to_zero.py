"""Functions at zero have no process, agents that wait included."""

import psutil
import pytest

from tests.system import System, lives, until

pytestmark = pytest.mark.anyio

WINDOW_S = 1.0
ALWAYS_ON = {"ledger"}


@pytest.fixture(scope="module")
async def system(anyio_backend, tmp_path_factory):
    """Everything sleeps after a second without work."""
    async with System(tmp_path_factory.mktemp("system"), window_s=WINDOW_S) as running:
        yield running


def processes():
    """Return function → living process ids, as the operating system has them."""
    found = {}
    for child in psutil.Process().children(recursive=True):
        try:
            command, environment = child.cmdline(), child.environ()
        except psutil.Error:
            continue  # it has just ended
        if "eventing.local.serve" in command and lives(child.pid):
            found.setdefault(environment["K_SERVICE"], []).append(child.pid)
    return found


async def all_asleep():
    await until(lambda: set(processes()) <= ALWAYS_ON, what="all sleep")


async def test_nothing_runs_before_the_first_request_and_after_the_last(system, tenant):
    assert set(processes()) <= ALWAYS_ON

    found = await tenant.ran(f"errand {system.hook.url('zero')}")

    assert found["status"] == "completed"
    await tenant.books()
    await all_asleep()
    for name in ("gateway", "prober", "calculator", "notify", "costs"):
        await system.at_zero(name)  # the runtime has noticed it, too
        status = system.service(name).status()
        assert status["woken"] == status["slept"] >= 1


async def test_an_agent_has_no_process_while_its_tool_outlasts_the_window(system, tenant):
    task = await tenant.submit(f"sleep {5 * WINDOW_S}")

    await until(lambda: "sleeper" in processes() and "prober" not in processes(),
                what="only the tool runs")
    assert (await tenant.task(task))["waits_for"]
    assert "prober" not in processes()

    found = await tenant.wait(task)
    assert found["result"]["output"] == "The tool says: rested"
    assert system.service("prober").status()["woken"] >= 2
