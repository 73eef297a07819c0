"""Blocks after overruns, a tenant's own prices, and periods that are priced again."""

import time
from dataclasses import replace

import pytest

from shared.metering import Denied, Settlement
from shared.usage import Usage

pytestmark = pytest.mark.anyio
RESERVED = 1000 * 150 + 500 * 600
DEAR = Settlement(usage=Usage(input_uncached=1000, output_text=2000))
DEAR_COST = 1000 * 150 + 2000 * 600
USED = Settlement(usage=Usage(input_uncached=800, cache_read=100, output_text=100),
                  response_model="scripted/default")
COST = 800 * 150 + 100 * 75 + 100 * 600
TABLE = """
label: corrected
models:
  scripted/default:
    usd_per_million:
      {input_uncached: "0.30", cache_read: "0.30", cache_write_1h: "0.40", output_text: "0.60"}
tools:
  reader@1.0.0: "0.000001"
"""
NEW_COST = 900 * 300 + 100 * 600


async def settled(ledger, settlement=USED, **changes):
    call = ledger.call(**changes)
    await ledger.meter.hold(call, dispatch=True)
    await ledger.meter.settle(call.id, settlement, grant=call.grant)
    return call


async def keyed(ledger, path, body):
    return await ledger.http.post(
        path, json=body, headers={"authorization": f"Bearer {ledger.api_key}"})


async def rerate(ledger, *, apply, table=TABLE, begin=None, end=None, after=""):
    now = time.time()
    return await keyed(ledger, "/v1/rerates", {
        "begin": now - 3600 if begin is None else begin, "end": end or now + 60,
        "prices": table, "apply": apply, "after": after})


async def posted(ledger):
    return int((await ledger.account(f"tenant|{ledger.tenant}|life"))["usd.pst"])


async def test_overrun_past_the_limit_blocks_until_the_limit_is_another_one(ledger):
    await ledger.budget(RESERVED + 10)
    call = await settled(ledger, DEAR)
    await keyed(ledger, f"/v1/reservations/{call.id}/adjustments",
                {"key": "k", "delta_nano": -DEAR_COST, "reason": "refund"})

    with pytest.raises(Denied) as denied:
        await ledger.meter.hold(ledger.call())
    usage = (await ledger.get(f"/v1/budgets/tenant/{ledger.tenant}/usage"))["units"]["usd"]

    assert (denied.value.reason, denied.value.have) == ("blocked", 0)
    assert (usage["blocked"], usage["free"], usage["posted"]) == (True, 0, 0)
    await ledger.budget(RESERVED + 11)
    assert (await ledger.meter.hold(ledger.call())).state == "PENDING"


async def test_free_call_passes_a_blocked_account(ledger):
    await ledger.budget(RESERVED)
    await settled(ledger, DEAR)

    free = ledger.call(kind="tool", model=None, tool="calculator", input_tokens_max=0,
                       output_tokens_max=0)

    assert (await ledger.meter.hold(free)).state == "PENDING"


@pytest.mark.parametrize("policy", ["deny", "observe"])
async def test_overrun_within_the_limit_or_past_an_observed_one_blocks_nothing(ledger, policy):
    await ledger.budget(10**9 if policy == "deny" else 1, policy=policy)
    await settled(ledger, DEAR)

    assert (await ledger.meter.hold(ledger.call())).state == "PENDING"
    assert "blk" not in await ledger.account(f"tenant|{ledger.tenant}|life")


async def test_observed_limit_alerts_once_and_refuses_nothing(ledger):
    await ledger.budget(1, policy="observe", thresholds=[100])
    for _ in range(3):
        await settled(ledger)

    crossed = [e.json()["percent"] for e in await ledger.drained() if "threshold" in e.type]

    assert crossed == [100]


async def test_all_three_units_are_held_and_limited_in_one_reservation(ledger):
    for unit, limit in (("usd", 10**9), ("tok", 1500), ("calls", 5)):
        await ledger.budget(limit, unit=unit, window="w")
    hold = await ledger.meter.hold(ledger.call())

    assert hold.headroom == {"usd": 10**9 - RESERVED, "tok": 0, "calls": 4}
    with pytest.raises(Denied) as denied:
        await ledger.meter.hold(ledger.call())
    assert (denied.value.unit, denied.value.reason) == ("tok", "held")


async def test_denial_names_policy_end_of_the_window_and_the_cap_that_fits(ledger):
    await ledger.budget(1000 * 150 + 99 * 600 + 599, window="d", policy="pause")

    with pytest.raises(Denied) as denied:
        await ledger.meter.hold(ledger.call())

    assert (denied.value.policy, denied.value.output_tokens_fitting) == ("pause", 99)
    assert 0 < denied.value.window_ends - time.time() <= 86400


async def test_own_prices_come_before_all_others_and_are_named_in_the_event(ledger):
    text = TABLE.replace("\n", "\n      ")
    answer = await keyed(ledger, "/v1/budgets:apply", {
        "text": f"version: 1\ntenants:\n  {ledger.tenant}:\n    prices:{text}"})
    assert answer.status_code == 200, answer.text

    call = await settled(ledger)
    tool = ledger.call(kind="tool", model=None, tool="reader", tool_version="1.0.0",
                       input_tokens_max=0, output_tokens_max=0)
    hold = await ledger.meter.hold(tool)

    event = (await ledger.drained())[0].json()
    assert event["cost"]["total_nano"] == NEW_COST
    assert event["cost"]["price_version"] == "corrected"
    assert hold.reserved_nano == 1000
    assert (await ledger.get(f"/v1/reservations/{call.id}"))["reserved_nano"] == (
        1000 * 400 + 500 * 600)


async def test_dry_run_of_a_rerating_says_the_difference_and_changes_nothing(ledger):
    call = await settled(ledger)

    found = (await rerate(ledger, apply=False)).json()

    assert found["rows"] == [{"id": call.id, "what": "scripted/default", "old_nano": COST,
                              "new_nano": NEW_COST, "delta_nano": NEW_COST - COST}]
    assert await posted(ledger) == COST


async def test_rerating_adjusts_every_account_and_its_repeat_nothing(ledger):
    call = await settled(ledger)

    await rerate(ledger, apply=True)
    again = (await rerate(ledger, apply=True)).json()

    assert [row["delta_nano"] for row in again["rows"]] == [0]
    for account in (await ledger.accounts()).values():
        assert account["usd.pst"] == str(NEW_COST)
    adjusted = [e for e in await ledger.drained() if "adjusted" in e.type]
    assert [(e.id, e.json()["reason"], e.json()["delta_nano"]) for e in adjusted] == [
        (f"{call.id}:adj:1", "rerate corrected", NEW_COST - COST)]


async def test_rerating_back_restores_what_was_charged(ledger):
    await settled(ledger)
    await rerate(ledger, apply=True)

    back = TABLE.replace("corrected", "as-before").replace(
        'input_uncached: "0.30", cache_read: "0.30"', 'input_uncached: "0.15", cache_read: "0.075"')
    await rerate(ledger, apply=True, table=back)

    assert await posted(ledger) == COST


async def test_forfeit_is_rerated_as_the_most_and_a_void_stays_free(ledger):
    forfeited, voided = ledger.call(), ledger.call()
    for call in (forfeited, voided):
        await ledger.meter.hold(call, dispatch=True)
    await ledger.meter.resolve(forfeited.id, 1, grant=forfeited.grant)
    await ledger.meter.void(voided.id, 1, grant=voided.grant)

    found = (await rerate(ledger, apply=False)).json()

    assert [(r["id"], r["new_nano"]) for r in found["rows"]] == [
        (forfeited.id, 1000 * 400 + 500 * 600)]


async def test_model_or_period_outside_the_table_is_left_alone(ledger):
    await settled(ledger, replace(USED, response_model="scripted/other"))
    inside = await rerate(ledger, apply=True)
    await settled(ledger)
    before = await rerate(ledger, apply=True, begin=time.time() - 7200, end=time.time() - 3600)

    assert (inside.json()["rows"], before.json()["rows"]) == ([], [])


async def test_rerating_goes_page_by_page(ledger, monkeypatch):
    monkeypatch.setattr("functions.ledger.rerating.RERATE_PAGE_MAX", 2)
    calls = [await settled(ledger) for _ in range(5)]

    found, after = [], ""
    while after is not None:
        page = (await rerate(ledger, apply=False, after=after)).json()
        found += [row["id"] for row in page["rows"]]
        after = page["next"]

    assert found == [call.id for call in calls]


async def test_charge_whose_row_is_gone_is_counted_not_guessed(ledger):
    call = await settled(ledger)
    await ledger.redis.hdel(f"lg:{{{ledger.tenant}}}:r:{call.id}", "cost")

    found = (await rerate(ledger, apply=True)).json()

    assert (found["rows"], found["expired"]) == ([], 1)


async def test_late_settle_never_brings_back_a_window_that_has_expired(ledger):
    await ledger.budget(10**9, window="h")
    call = ledger.call()
    await ledger.meter.hold(call, dispatch=True)
    await ledger.meter.resolve(call.id, 1, grant=call.grant)
    [hour] = [key async for key in ledger.redis.scan_iter(f"lg:{{{ledger.tenant}}}:a:*|h|*")]
    await ledger.redis.delete(hour)

    await ledger.meter.settle(call.id, USED, grant=call.grant)

    assert not await ledger.redis.exists(hour)
    assert await posted(ledger) == COST


async def test_adjustment_past_what_a_script_counts_exactly_is_refused(ledger):
    call = await settled(ledger)

    answer = await keyed(ledger, f"/v1/reservations/{call.id}/adjustments",
                         {"key": "k", "delta_nano": 2**53 - 1, "reason": "typing error"})

    assert (answer.status_code, answer.json()["code"]) == (422, "too_large")
    assert await posted(ledger) == COST


@pytest.mark.parametrize(("changes", "told"), [
    ({"begin": 10.0, "end": 5.0}, "begin: the period ends"),
    ({"begin": time.time() - 15 * 86400}, "begin: only the last 14 days"),
    ({"table": "label: x\nmodels: {scripted/x: {usd_per_million: {output_text: 1}}}"},
     "line 2, models.scripted/x: usd_per_million.input_uncached is missing")])
async def test_period_or_table_that_is_wrong_is_refused(ledger, changes, told):
    answer = await rerate(ledger, apply=True, **changes)

    assert answer.status_code in (400, 422)
    assert told in answer.json()["detail"]


async def test_batch_reserves_each_call_by_itself(ledger):
    from tests.integration.ledger.conftest import reserve_body

    await ledger.budget(2 * RESERVED)
    calls = [ledger.call(), ledger.call(model="nobody/knows"), ledger.call(), ledger.call()]
    bodies = [reserve_body(call)[0] for call in calls]

    answer = await ledger.post("/v1/reservations:batch", {"reservations": bodies}, calls[0].grant)

    first, unpriced, second, denied = answer.json()["reservations"]
    assert [(x["id"], x["state"]) for x in (first, second)] == [
        (calls[0].id, "PENDING"), (calls[2].id, "PENDING")]
    assert (unpriced["problem"]["status"], denied["problem"]["status"]) == (422, 402)
    assert denied["problem"]["reason"] == "held"
    again = await ledger.post("/v1/reservations:batch", {"reservations": bodies[:1]},
                              calls[0].grant)
    assert again.json()["reservations"][0]["replayed"] is True


async def test_batch_needs_a_grant_and_has_a_limit(ledger):
    from tests.integration.ledger.conftest import reserve_body

    body, grant = reserve_body(ledger.call())

    none = await ledger.post("/v1/reservations:batch", {"reservations": [body]}, "")
    many = await ledger.post("/v1/reservations:batch", {"reservations": [body] * 101}, grant)
    empty = await ledger.post("/v1/reservations:batch", {"reservations": []}, grant)

    assert [a.status_code for a in (none, many, empty)] == [401, 422, 422]
