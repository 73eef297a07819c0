"""Functions from zero and back, as the API server shows it."""

import time

import pytest

from tests.cluster.system import found, pods, replicas
from tests.system import until

pytestmark = pytest.mark.anyio

IDLE_S = 240.0
"""Window, grace and a pod's own end, with Knative's defaults."""


async def at_zero(function):
    async def none():
        return await replicas(function) == 0
    await until(none, timeout_s=IDLE_S, what=f"{function} is at zero")


async def wanted(function):
    """Return what the autoscaler wants of the newest revision of a function."""
    listed = await found("podautoscalers", selector=f"serving.knative.dev/service={function}")
    return max(one["status"].get("desiredScale", 0) for one in listed["items"])


async def test_function_comes_from_zero_for_a_request_and_goes_back(system, figures):
    tenant = system.tenant()
    for function in ("gateway", "researcher"):
        await at_zero(function)

    began = time.monotonic()
    answer = await tenant.ask("GET", "/health")
    woke_s = time.monotonic() - began
    alive = await replicas("gateway"), await wanted("gateway")
    await at_zero("gateway")

    assert answer.status_code == 200
    assert min(alive) >= 1
    assert await wanted("gateway") == 0
    figures["gateway from zero, as its caller sees it"] = f"{1000 * woke_s:.0f} ms"
    figures["gateway back at zero after"] = f"{time.monotonic() - began - woke_s:.0f} s"


async def test_event_wakes_only_the_functions_that_it_needs(system, figures):
    tenant = system.tenant()
    for function in ("researcher", "calculator", "notify"):
        await at_zero(function)
    assert await pods("ledger"), "the ledger is always there"

    began = time.monotonic()
    task = await tenant.ran("plain", agent="researcher")
    took_s = time.monotonic() - began

    assert task["result"]["output"] == "Done."
    assert await replicas("researcher") >= 1
    assert await replicas("calculator") == await replicas("notify") == 0
    figures["task of one step, agent from zero"] = f"{1000 * took_s:.0f} ms"
