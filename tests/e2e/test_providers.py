"""A provider that is busy, broken, or another than asked for: money stays right, the task ends."""

import pytest

from tests.e2e.openai_server import OpenAIServer
from tests.system import System

pytestmark = pytest.mark.anyio

USED_NANO = 100 * 150 + 10 * 600
"""100 tokens in and 10 out of gpt-4o-mini at its list price of 0.15 and 0.60 USD per million."""


@pytest.fixture(scope="module")
def provider():
    with OpenAIServer() as server:
        yield server


@pytest.fixture(scope="module")
async def system(anyio_backend, tmp_path_factory, provider):
    env = {"TOLLGATE_MODEL": "openai/gpt-4o-mini", "OPENAI_BASE_URL": provider.url}
    async with System(tmp_path_factory.mktemp("system"), env=env) as running:
        yield running


@pytest.fixture
def plays(provider):
    """Set the manners of the provider's next answers; count its requests from now on."""
    def play(*manners):
        provider.plays[:] = manners
        provider.asked.clear()
        return provider
    return play


async def outcomes(tenant, task):
    found = await tenant.invocations(task)
    return [(i["outcome"], i["cost_nano"]) for i in sorted(
        found["invocations"], key=lambda i: i["attempt"])]


async def assert_closed(tenant, calls):
    summary, gaps = await tenant.books()
    assert (summary["held_nano"], summary["events"], summary["terminal"]) == (0, calls, calls)
    assert gaps["gapless"]


async def test_a_good_provider_is_paid_by_its_usage(tenant, plays):
    server = plays("good")

    found = await tenant.ran("hello")

    assert found["result"]["output"] == "A fine answer."
    assert found["result"]["tokens_used"] == 110
    await assert_closed(tenant, 1)
    assert await outcomes(tenant, found["id"]) == [("settled", USED_NANO)]
    assert server.asked[0]["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize("manner", ["busy", "error", "garbage", "half"])
async def test_a_provider_that_fails_once_is_asked_again(system, tenant, plays, manner):
    server = plays(manner, "good")

    found = await tenant.ran("hello")

    assert (found["status"], found["result"]["output"]) == ("completed", "A fine answer.")
    await assert_closed(tenant, 2)
    first, second = await outcomes(tenant, found["id"])
    assert second == ("settled", USED_NANO)
    assert first[0] == ("voided" if manner == "busy" else "forfeited")
    assert (first[1] == 0) == (manner == "busy")  # an unknown outcome is no refund
    assert len(server.asked) == len(set(system.model_calls(found["id"]))) == 2


@pytest.mark.parametrize("manner", ["busy", "error", "garbage", "half"])
async def test_a_provider_that_always_fails_is_asked_three_times(system, plays, manner):
    await system.kill("prober")  # its circuit is closed again
    tenant, server = system.tenant(), plays(manner)

    found = await tenant.ran("hello")

    assert found["status"] == "failed"
    assert found["error"].startswith("the model failed 3 times: ")
    assert len(server.asked) == 3
    await assert_closed(tenant, 3)
    assert {outcome for outcome, _ in await outcomes(tenant, found["id"])} == {
        "voided" if manner == "busy" else "forfeited"}


async def test_another_model_than_asked_for_is_priced_as_what_answered(system, plays):
    await system.kill("prober")
    tenant, _ = system.tenant(), plays("other_model")

    found = await tenant.ran("hello")

    assert found["status"] == "completed"
    await assert_closed(tenant, 1)
    ((outcome, cost),) = await outcomes(tenant, found["id"])
    assert outcome == "settled"
    assert cost > USED_NANO
    assert (await tenant.steps(found["id"]))[0]["model"] == "openai/gpt-4o"


async def test_an_unknown_model_that_answered_is_priced_as_what_was_asked(tenant, plays):
    plays("unknown_model")

    found = await tenant.ran("hello")

    assert found["status"] == "completed"
    await assert_closed(tenant, 1)
    assert await outcomes(tenant, found["id"]) == [("settled", USED_NANO)]


async def test_an_unpriced_model_is_refused_before_it_is_called(system, plays):
    server = plays("good")
    system.restarted_with("prober", TOLLGATE_MODEL="openai/a-model-nobody-has-priced")
    await system.kill("prober")
    tenant = system.tenant()
    try:
        found = await tenant.ran("hello")
    finally:
        system.restarted_with("prober", TOLLGATE_MODEL="openai/gpt-4o-mini")
        await system.kill("prober")

    assert found["status"] == "failed"
    assert "a-model-nobody-has-priced" in found["error"]
    assert "no price is known" in found["error"]
    assert server.asked == []
    summary = await tenant.summary()
    assert (summary["posted_nano"], summary["reservations"]) == (0, 0)


async def test_a_session_is_remembered_by_its_tenant_alone(system, plays):
    server, (mine, other) = plays("good"), (system.tenant(), system.tenant())

    await mine.ran("my secret", session_id="same")
    await other.ran("who are you", session_id="same")
    await mine.ran("what did I say", session_id="same")
    await mine.ran("and elsewhere", session_id="another")

    said = [[m["content"] for m in body["messages"]] for body in server.asked]
    assert said[0][1:] == ["my secret"]
    assert said[1][1:] == ["who are you"]
    assert said[2][1:] == ["my secret", "A fine answer.", "what did I say"]
    assert said[3][1:] == ["and elsewhere"]
