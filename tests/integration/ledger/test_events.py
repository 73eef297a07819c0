"""The ledger's events: one per reservation, gapless, composed the same way each time."""

import json
import random
from dataclasses import replace

import anyio
import pytest

from eventing.http import decode
from eventing.types_ledger import LedgerAttributed
from functions.ledger.background import DOUBTS_EVERY_TICKS
from shared.doubts import conflicts
from shared.errors import Busy, Transient
from shared.metering import Denied, Settlement
from shared.usage import Usage
from tests.integration.ledger.conftest import ATTRIBUTION

pytestmark = pytest.mark.anyio
USED = Settlement(usage=Usage(input_uncached=800, output_text=100), finish_reason="stop",
                  response_model="scripted/default", started=1.0, ended=2.5)
RESERVED = 1000 * 150 + 500 * 600


async def test_attribution_event_says_who_what_and_how_much(ledger):
    call = ledger.call()
    await ledger.meter.hold(call, dispatch=True)
    charge = await ledger.meter.settle(call.id, USED, grant=call.grant)

    [event] = await ledger.drained()

    assert (event.id, event.source, event.subject) == (
        call.id, f"/ledger/{ledger.tenant}", ledger.tenant)
    assert event.extensions["ledgerseq"] == "1"
    assert event.extensions["traceparent"].split("-")[1] == ATTRIBUTION.trace_id
    data = LedgerAttributed.model_validate_json(event.data)
    assert data.outcome == "settled"
    assert (data.dims.tenant, data.dims.agent, data.dims.task) == (
        ledger.tenant, "researcher", "t1")
    assert data.model.model_dump() == {
        "provider": "scripted", "requested": "default", "selected": "default",
        "response": "default", "service_tier": None, "downgrade_reason": None}
    assert data.usage.classes["input_uncached"] == 800
    assert (data.cost.total_nano, data.cost.reserved_nano) == (charge.total_nano, RESERVED)
    assert data.cost.price_basis == "response"
    assert (data.invocation.started, data.invocation.ended) == (
        "1970-01-01T00:00:01.000Z", "1970-01-01T00:00:02.500Z")
    assert f"tenant|{ledger.tenant}|life" in data.ledger.accounts
    assert data.tags == {"team": "blue"}


async def test_answer_of_an_unpriced_model_is_priced_as_the_one_asked_for(ledger):
    call = ledger.call()
    await ledger.meter.hold(call, dispatch=True)

    charge = await ledger.meter.settle(
        call.id, replace(USED, response_model="nobody/knows"), grant=call.grant)

    assert charge.total_nano == 800 * 150 + 100 * 600
    [event] = await ledger.drained()
    assert event.json()["cost"]["price_basis"] == "requested"


async def test_event_is_the_same_when_it_is_read_again_by_number(ledger):
    call = ledger.call()
    await ledger.meter.hold(call)
    await ledger.meter.settle(call.id, USED, grant=call.grant)
    [published] = await ledger.drained()

    summary = await ledger.get("/v1/summary")
    body = await ledger.get(f"/v1/events?epoch={summary['epoch']}&from=1&to=10")

    [document] = body["events"]
    again = decode({"content-type": "application/cloudevents+json"}, json.dumps(document).encode())
    assert (again.id, again.extensions) == (published.id, published.extensions)
    assert again.json() == published.json()


async def test_events_wait_while_the_broker_is_away(ledger):
    call = ledger.call()
    await ledger.meter.hold(call)
    await ledger.meter.settle(call.id, USED, grant=call.grant)
    ledger.broker.away = True

    with pytest.raises(Transient):
        await ledger.parts.outbox.drain(ledger.tenant)

    group = (await ledger.redis.xinfo_groups(f"lg:{{{ledger.tenant}}}:out"))[0]
    assert group["pending"] == 1


async def test_thresholds_fire_once_per_window(ledger):
    await ledger.budget(4 * RESERVED, window="d", thresholds=[25, 50])
    calls = [ledger.call() for _ in range(3)]
    for call in calls:
        await ledger.meter.hold(call)
    for call in calls:
        await ledger.meter.void(call.id, 1, grant=call.grant)
    await ledger.meter.hold(ledger.call())

    crossed = [e.json() for e in await ledger.drained() if "threshold" in e.type]

    assert [(c["percent"], c["unit"]) for c in crossed] == [(25, "usd"), (50, "usd")]


async def test_edited_budget_holds_for_the_very_next_call_of_another_process(ledger):
    await ledger.meter.hold(ledger.call())  # this process has read the limits
    limits = f"lg:{{{ledger.tenant}}}:lim"
    await ledger.redis.hset(limits, f"tenant|{ledger.tenant}|life|usd", '{"limit": 1}')
    await ledger.redis.hincrby(limits, "version", 1)

    with pytest.raises(Denied):
        await ledger.meter.hold(ledger.call())


async def test_editing_a_budget_never_resets_spend(ledger):
    call = ledger.call()
    await ledger.meter.hold(call)
    charge = await ledger.meter.settle(call.id, USED, grant=call.grant)
    for limit in (10, 10**9):
        assert (await ledger.budget(limit)).status_code == 200

    found = await ledger.get(f"/v1/budgets/tenant/{ledger.tenant}/usage")

    assert found["units"]["usd"] == {
        "limit": 10**9, "posted": charge.total_nano, "held": 0, "overrun": 0, "unreserved": 0,
        "free": 10**9 - charge.total_nano, "blocked": False, "policy": "deny",
        "per_hour": None}


async def test_budget_is_compared_before_it_is_set(ledger):
    first = await ledger.budget(10, revision=0)
    stale = await ledger.budget(20, revision=0)
    next_one = await ledger.budget(20, revision=1)

    assert (first.status_code, stale.status_code, next_one.status_code) == (200, 409, 200)


async def test_key_of_one_tenant_sets_no_budget_of_another(ledger):
    assert (await ledger.budget(10, owner="another")).status_code == 403


async def test_lost_sequence_begins_a_new_epoch(ledger):
    call, other = ledger.call(), ledger.call()
    await ledger.meter.hold(call)
    await ledger.meter.settle(call.id, USED, grant=call.grant)
    before = (await ledger.get("/v1/summary"))["epoch"]
    await ledger.redis.delete(f"lg:{{{ledger.tenant}}}:seq")

    await ledger.meter.hold(other)
    await ledger.meter.settle(other.id, USED, grant=other.grant)

    events = await ledger.drained()
    assert [e.extensions["ledgerseq"] for e in events] == ["1", "1"]
    assert int(events[1].extensions["ledgerepoch"]) > int(before)


async def test_usage_of_a_task_counts_its_reservations_by_state(ledger):
    calls = [ledger.call(task="counted") for _ in range(4)]
    for call in calls:
        await ledger.meter.hold(call, dispatch=True)
    await ledger.meter.settle(calls[0].id, USED, grant=calls[0].grant)
    await ledger.meter.void(calls[1].id, 1, grant=calls[1].grant)
    await ledger.meter.resolve(calls[2].id, 1, grant=calls[2].grant)

    usage = await ledger.meter.usage("counted", calls[0].grant)

    assert usage.reservations == {"SETTLED": 1, "VOIDED": 1, "FORFEITED": 1, "PENDING": 1}
    assert usage.held_nano == RESERVED
    assert usage.posted_nano == RESERVED + 800 * 150 + 100 * 600


@pytest.mark.parametrize("seed", range(4))
async def test_concurrent_calls_never_pass_the_budget_and_leave_every_invariant(ledger, seed):
    limit, dice = 12 * RESERVED, random.Random(seed)
    await ledger.budget(limit)
    calls = [ledger.call(task=f"t{n % 5}") for n in range(60)]
    order = calls * 2
    dice.shuffle(order)

    async with anyio.create_task_group() as group:
        for call in order:
            group.start_soon(live, ledger, call, dice.random())
    await settle_down(ledger, calls)

    await check_invariants(ledger, limit)


async def live(ledger, call, chance):
    """Run one call as a holder might, with every way to end it."""
    try:
        hold = await ledger.meter.hold(call, dispatch=chance > 0.3)
        if hold.permit is None and chance <= 0.3:
            await ledger.meter.dispatch(call.id, 1, grant=call.grant)
        if chance < 0.6:
            await ledger.meter.settle(call.id, USED, grant=call.grant)
        elif chance < 0.75:
            await ledger.meter.void(call.id, 1, grant=call.grant)
        elif chance < 0.9:
            await ledger.meter.resolve(call.id, 2, grant=call.grant)
    except (Denied, Busy):
        return


async def settle_down(ledger, calls):
    for call in calls:
        if await open_lease(ledger, call):
            await ledger.lapse(call.id)
    await ledger.parts.background.sweep()
    await ledger.drained()


async def open_lease(ledger, call):
    return await ledger.redis.zscore(f"lg:{{{ledger.tenant}}}:exp", call.id) is not None


async def check_invariants(ledger, limit):
    events = [e for e in ledger.broker.events if e.subject == ledger.tenant]
    numbers = sorted(int(e.extensions["ledgerseq"]) for e in events)
    assert numbers == list(range(1, len(numbers) + 1))  # I9
    attributed = [e for e in events if "attributed" in e.type]
    assert len({e.id for e in attributed}) == len(attributed)  # I8
    summary = await ledger.get("/v1/summary")
    assert (len(attributed), summary["pending"]) == (summary["terminal"], 0)  # I8, I10
    cost = {e.id: e.json()["cost"]["total_nano"] for e in attributed}
    delta = sum(e.json()["delta_nano"] for e in events if "adjusted" in e.type)
    accounts = await ledger.accounts()
    root = accounts[f"tenant|{ledger.tenant}|life"]
    assert int(root["usd.pst"]) == sum(cost.values()) + delta  # I2
    for account in accounts.values():
        money = {k: int(v) for k, v in account.items() if k.endswith((".res", ".pst", ".ovr"))}
        assert all(0 <= n < 2**53 for n in money.values())  # I5
        assert {k: n for k, n in money.items() if k.endswith(".res") and n} == {}  # I1
    tasks = [a for name, a in accounts.items() if name.startswith("task|")]
    assert sum(int(a.get("usd.pst", 0)) for a in tasks) == int(root["usd.pst"])  # I6
    assert int(root["usd.pst"]) <= limit  # I3, I4


async def test_epoch_that_costs_saw_a_number_of_twice_is_ended_by_the_ledger_itself(ledger):
    first, second = ledger.call(), ledger.call()
    for call in (first, second):
        await ledger.meter.hold(call)
    await ledger.meter.settle(first.id, USED, grant=first.grant)
    before = (await ledger.get("/v1/summary"))["epoch"]
    await ledger.redis.lpush(conflicts(ledger.tenant), f"{before} 1 another-event")

    for _ in range(DOUBTS_EVERY_TICKS):
        await ledger.parts.background.sweep()
    ended = (await ledger.get("/v1/summary"))["epoch"]
    for _ in range(DOUBTS_EVERY_TICKS):  # an earlier epoch stays in doubt for good
        await ledger.parts.background.sweep()
    await ledger.meter.settle(second.id, USED, grant=second.grant)

    summary = await ledger.get("/v1/summary")
    assert int(ended) > int(before)
    assert summary["epoch"] == ended
    assert (summary["events"], summary["states"]["SETTLED"]) == (1, 2)
    assert [e.extensions["ledgerseq"] for e in await ledger.drained()] == ["1", "1"]


async def test_unreserved_cost_crosses_thresholds_too_and_once(ledger):
    cost = 800 * 150 + 100 * 600
    await ledger.budget(2 * cost, thresholds=[50, 100])
    for _ in range(3):
        await ledger.meter.post(ledger.call(), USED)

    events = await ledger.drained()

    crossed = [e.json() for e in events if "threshold" in e.type]
    assert [(c["percent"], c["used"]) for c in crossed] == [(50, cost), (100, 2 * cost)]
    assert [e.number("ledgerseq") for e in events] == [1, 2, 3, 4, 5]


async def test_correction_crosses_a_threshold_as_a_settle_does_and_once(ledger):
    cost = 800 * 150 + 100 * 600
    await ledger.budget(2 * cost, thresholds=[60, 100])
    call = ledger.call()
    await ledger.meter.post(call, USED)
    path = f"/v1/reservations/{call.id}/adjustments"
    bearer = {"authorization": f"Bearer {ledger.api_key}"}
    for key, delta in (("a", cost // 2), ("a", cost // 2), ("b", -cost), ("c", cost)):
        body = {"key": key, "delta_nano": delta, "reason": "a credit note came"}
        answer = await ledger.http.post(path, json=body, headers=bearer)
        assert answer.is_success, answer.text

    events = await ledger.drained()

    crossed = [e.json() for e in events if "threshold" in e.type]
    assert [(c["percent"], c["used"]) for c in crossed] == [(60, cost + cost // 2)]
    assert [e.number("ledgerseq") for e in events] == [1, 2, 3, 4, 5]
    summary = await ledger.get("/v1/summary")
    assert summary["events"] == 5
