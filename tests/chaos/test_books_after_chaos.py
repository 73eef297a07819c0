"""Costs, ledger, broker and Redis die under load; then all that says what was spent agrees."""

import random
import time

import pytest

from tests.chaos.spent import everything, months
from tests.chaos.storm import VICTIMS, Storm
from tests.kafka.over_broker import OverBroker
from tests.kafka.separate import SeparateBroker
from tests.seeds import SEED, times

pytestmark = pytest.mark.anyio
LIMIT_NANO = 900_000
"""A few tasks' worth: passed in the middle of the run."""

POLICIES = ("observe", "deny")
"""Of the tenants' budgets: alerts and denials are numbered between the costs. One has none."""


@pytest.fixture
async def broker(tmp_path):
    """A broker in a process of its own, whose Redis dies with it."""
    (tmp_path / "broker").mkdir()
    found = SeparateBroker(tmp_path / "broker")
    await found.start()
    yield found
    await found.stop()


async def test_every_sum_equals_the_ledger_after_chaos(tmp_path, broker):
    began, strikes = time.time(), times(1, 5)
    env = {"COSTS_TAG_KEYS": "team"}
    async with OverBroker(tmp_path / "system", broker, env=env) as system:
        storm = Storm(system, broker, [system.tenant() for _ in range(3)], random.Random(SEED))
        for tenant, policy in zip(storm.tenants, POLICIES, strict=False):
            await limited(tenant, policy)

        await storm.blow(strikes)
        await storm.calm()

        assert storm.struck == dict.fromkeys(VICTIMS, strikes)
        for tenant in storm.tenants:
            await assert_all_say_the_same(tenant, storm.tasks[tenant], months(began, time.time()))
        assert system.unexpected() == []


async def limited(tenant, policy):
    answer = await tenant.ask("PUT", "/v1/budgets/agent/prober", at="ledger", json={
        "unit": "usd", "window": "life", "limit": LIMIT_NANO, "policy": policy})
    assert answer.is_success, answer.text


async def assert_all_say_the_same(tenant, tasks, run_in):
    await tenant.system.lapse_holds(tenant)
    summary, gaps = await tenant.books()
    found = await everything(tenant, tasks, run_in)

    posted = summary["posted_nano"]
    assert posted > 0
    assert {source: nano for source, nano in found.items() if nano != posted} == {}, (
        f"seed {SEED}: the ledger posted {posted} nano-USD for {tenant.name}")
    assert (gaps["conflicts"], gaps["missing_count"]) == (0, 0)
    for task in tasks:
        attributed = {one["id"] for one in (await tenant.invocations(task))["invocations"]}
        assert attributed >= set(tenant.system.model_calls(task)), "a call that nobody paid"
