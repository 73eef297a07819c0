"""A task stops at each of its limits, with the best it has and the limit's name."""

import json

import pytest

from shared.limits import REDRIVE_MAX_S, TOPIC_RETENTION_S
from tests.system import until

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("limits", "error"), [
    ({"max_steps": 3}, "max steps reached"),
    ({"capability_limits": {"max_iterations": 3}}, "max steps reached"),
    ({"token_budget": 4096}, "token budget exceeded"),
    ({"capability_limits": {"token_cap": 4096}}, "token budget exceeded"),
], ids=str)
async def test_a_task_ends_at_its_limit_with_its_partial_output(system, tenant, limits, error):
    found = await tenant.ran("forever", **limits)

    assert (found["status"], found["error"]) == ("completed", error)
    assert found["result"]["output"] == "One more."
    assert found["result"]["tokens_used"] <= limits.get("token_budget", 32768)
    assert found["result"]["steps_used"] == len(system.model_calls(found["id"])) > 0
    summary, gaps = await tenant.books()
    assert summary["held_nano"] == 0
    assert gaps["gapless"]


async def test_a_task_never_spends_more_than_its_cost_budget(system, tenant):
    budget_usd = "0.0006"

    found = await tenant.ran("forever", cost_budget_usd=budget_usd, max_steps=25)

    assert found["status"] == "completed"
    assert found["error"].startswith("cost budget exceeded: account task|")
    assert found["result"]["output"] == "One more."
    assert found["result"]["steps_used"] == len(system.model_calls(found["id"])) > 0
    summary, _ = await tenant.books()
    assert 0 < summary["posted_nano"] <= float(budget_usd) * 10**9
    assert float(found["result"]["cost_usd"]) * 10**9 == pytest.approx(summary["posted_nano"])


async def test_a_large_result_goes_by_claim_check_and_is_folded_for_the_model(system, tenant):
    found = await tenant.ran("much")

    assert found["result"]["output"] == f"result_folded of {512 * 1024 + 2}"
    checks = [key async for key in system.redis.scan_iter(f"cc:{{{tenant.name}}}:*")]
    assert len(checks) == 1
    assert len(json.dumps(await tenant.steps(found["id"]))) < 20 * 1024


KEPT = {
    "task": "tk:{{{}}}:t:*", "tool result": "tl:{{{}}}:*", "reservation": "lg:{{{}}}:r:*",
    "claim check": "cc:{{{}}}:*", "step claim": "tk:{{{}}}:c:*",
}

FOR_EVER = -1
"""Redis says so of a key without a time to live: an open reservation."""


async def test_everything_that_a_late_duplicate_must_find_outlives_it(system, tenant):
    await tenant.ran("much")
    task = await tenant.submit("slow")
    await until(lambda: system.model_calls(task), what="a step is claimed")

    for what, pattern in KEPT.items():
        found = [key async for key in system.redis.scan_iter(pattern.format(tenant.name))]
        left_s = [await system.redis.ttl(key) for key in found]
        assert found, what
        assert all(s == FOR_EVER or s > TOPIC_RETENTION_S + REDRIVE_MAX_S for s in left_s), what
