"""What users of other ledgers met: overspending, phantom spend, wrong prices, wrong windows.

Most of it is shown where the behaviour lives; `tests/unit/ledger/test_known_bugs.py` names where.
"""

import asyncio
from dataclasses import replace

import pytest

from functions.ledger.prices import PriceBook
from functions.ledger.requests import ReserveBody
from functions.ledger.wiring import assemble
from shared.auth import ApiKeys, verify
from shared.errors import TollgateError
from shared.metering import Denied, Settlement
from shared.usage import Usage
from tests.integration.ledger.audit import assert_sound
from tests.integration.ledger.conftest import ATTRIBUTION, KEY, TOOLS, Broker, reserve_body

pytestmark = pytest.mark.anyio
RESERVED = 1000 * 150 + 500 * 600
USED = Settlement(usage=Usage(input_uncached=100, output_text=10))
COST = 100 * 150 + 10 * 600


async def settled(ledger, settlement=USED, **changes):
    call = ledger.call(**changes)
    await ledger.meter.hold(call, dispatch=True)
    return await ledger.meter.settle(call.id, settlement, grant=call.grant)


async def test_first_calls_of_an_account_that_nobody_knew_are_counted_together(ledger):
    assert (await ledger.budget(2 * RESERVED)).status_code == 200

    found = await asyncio.gather(*(ledger.meter.hold(ledger.call()) for _ in range(8)),
                                 return_exceptions=True)

    assert len([each for each in found if not isinstance(each, Denied)]) == 2
    await assert_sound(ledger.redis, ledger.tenant)


async def test_two_processes_share_one_budget(ledger):
    other = assemble(ledger.redis, Broker(), PriceBook(TOOLS), key=KEY, api_keys=ApiKeys(()))
    assert (await ledger.budget(3 * RESERVED)).status_code == 200
    processes = [ledger.parts.reservations, other.reservations]

    async def hold(n):
        body, token = reserve_body(ledger.call())
        return await processes[n % 2].reserve(verify(token, KEY), ReserveBody(**body))

    found = await asyncio.gather(*(hold(n) for n in range(10)), return_exceptions=True)

    assert len([each for each in found if isinstance(each, dict)]) == 3
    assert all(isinstance(each, dict | TollgateError) for each in found)
    await assert_sound(ledger.redis, ledger.tenant)


async def test_estimate_above_what_is_left_is_never_shrunk_and_admitted(ledger):
    assert (await ledger.budget(RESERVED - 1)).status_code == 200

    with pytest.raises(Denied):
        await ledger.meter.hold(ledger.call())

    assert (await ledger.account(f"tenant|{ledger.tenant}|life")).get("usd.res", "0") == "0"


async def test_tags_of_the_caller_never_become_dims(ledger):
    tags = {"tenant": "another", "agent": "another", "task": "another"}
    await settled(ledger, attribution=replace(ATTRIBUTION, tags=tags))

    [event] = await ledger.drained()

    dims = event.json()["dims"]
    assert (dims["tenant"], dims["agent"], dims["task"]) == (ledger.tenant, "researcher", "t1")
    assert event.json()["tags"] == tags


async def test_answer_of_a_fallback_model_is_priced_as_that_model(ledger):
    charge = await settled(ledger, replace(USED, response_model="openai/gpt-4o-mini"),
                           model="openai/gpt-4o")
    same = await settled(ledger, replace(USED, response_model="openai/gpt-4o"),
                         model="openai/gpt-4o")

    assert 0 < charge.total_nano < same.total_nano / 10
    first, _ = await ledger.drained()
    assert (first.json()["model"]["response"], first.json()["cost"]["price_basis"]) == (
        "gpt-4o-mini", "response")


async def test_explicit_zero_is_a_value_and_no_missing_one(ledger):
    charge = await settled(ledger, Settlement(usage=Usage()))

    assert (charge.state, charge.total_nano) == ("SETTLED", 0)


async def test_cached_prompt_costs_less_and_never_below_nothing(ledger):
    fresh = await settled(ledger, Settlement(usage=Usage(input_uncached=1000)))
    cached = await settled(ledger, Settlement(usage=Usage(cache_read=1000)))

    assert 0 < cached.total_nano < fresh.total_nano


async def test_new_window_begins_at_nothing_and_the_old_one_keeps_its_spend(ledger):
    assert (await ledger.budget(RESERVED, window="d")).status_code == 200
    await settled(ledger)
    with pytest.raises(Denied):
        await ledger.meter.hold(ledger.call())
    [today] = [k async for k in ledger.redis.scan_iter(f"lg:{{{ledger.tenant}}}:a:tenant|*|d|*")]
    yesterday = f"{today[:-10]}2026-01-01"
    await ledger.redis.rename(today, yesterday)  # as if the day had ended since

    assert (await ledger.meter.hold(ledger.call())).state == "PENDING"
    assert await ledger.redis.hget(yesterday, "usd.pst") == str(COST)


async def test_window_that_is_added_later_carries_no_spend_of_before(ledger):
    await settled(ledger)
    assert (await ledger.budget(RESERVED, window="h")).status_code == 200

    assert (await ledger.meter.hold(ledger.call())).state == "PENDING"
    [hour] = [k async for k in ledger.redis.scan_iter(f"lg:{{{ledger.tenant}}}:a:tenant|*|h|*")]
    assert await ledger.redis.hget(hour, "usd.pst") in (None, "0")
