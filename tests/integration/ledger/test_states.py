"""Every arrow of a reservation's life, through the HTTP API."""

from dataclasses import replace

import pytest

from shared.errors import Busy, NotFound, Permanent, Unauthorized
from shared.limits import STATE_TTL_S
from shared.metering import Denied, Settlement, Unpriced
from shared.usage import Usage

pytestmark = pytest.mark.anyio
RESERVED = 1000 * 150 + 500 * 600
USED = Settlement(usage=Usage(input_uncached=800, output_text=100), finish_reason="stop",
                  response_model="scripted/default")
COST = 800 * 150 + 100 * 600


async def held_by(ledger, name="tenant|{}|life"):
    account = await ledger.account(name.format(ledger.tenant))
    return int(account.get("usd.res", 0)), int(account.get("usd.pst", 0))


async def test_reserve_holds_the_most_a_call_can_cost_on_every_account(ledger):
    hold = await ledger.meter.hold(ledger.call())

    assert (hold.state, hold.reserved_nano, hold.permit) == ("PENDING", RESERVED, None)
    accounts = await ledger.accounts()
    assert len(accounts) == 8
    assert {a["usd.res"] for a in accounts.values()} == {str(RESERVED)}
    assert {a["tok.res"] for a in accounts.values()} == {"1500"}
    assert {a["calls.res"] for a in accounts.values()} == {"1"}


async def test_settle_posts_the_true_cost_and_releases_the_rest(ledger):
    call = ledger.call()
    await ledger.meter.hold(call)
    await ledger.meter.dispatch(call.id, 1, grant=call.grant)

    charge = await ledger.meter.settle(call.id, USED, grant=call.grant)

    assert (charge.state, charge.total_nano, charge.tokens) == ("SETTLED", COST, 900)
    for account in (await ledger.accounts()).values():
        assert (account["usd.res"], account["usd.pst"]) == ("0", str(COST))
        assert (account["tok.res"], account["tok.pst"]) == ("0", "900")


async def test_same_settle_again_answers_the_same_and_changes_nothing(ledger):
    call = ledger.call()
    await ledger.meter.hold(call)
    first = await ledger.meter.settle(call.id, USED, grant=call.grant)
    before = await ledger.accounts()

    again = await ledger.meter.settle(call.id, USED, grant=call.grant)

    assert again == replace(first, replayed=True)
    assert await ledger.accounts() == before
    assert len(await ledger.drained()) == 1


async def test_settle_with_another_usage_is_a_conflict(ledger):
    call = ledger.call()
    await ledger.meter.hold(call)
    await ledger.meter.settle(call.id, USED, grant=call.grant)

    with pytest.raises(Permanent, match="another usage"):
        await ledger.meter.settle(call.id, Settlement(usage=Usage(output_text=1)),
                                  grant=call.grant)


async def test_same_reserve_again_is_a_replay_and_no_permission(ledger):
    call = ledger.call()
    first = await ledger.meter.hold(call)

    again = await ledger.meter.hold(call)

    assert (again.state, again.replayed, again.permit) == ("PENDING", True, None)
    assert again.expires == first.expires
    assert await held_by(ledger) == (RESERVED, 0)


async def test_same_id_for_another_call_is_a_conflict(ledger):
    call = ledger.call()
    await ledger.meter.hold(call)

    with pytest.raises(Permanent, match="another call"):
        await ledger.meter.hold(replace(call, output_tokens_max=501))

    assert await held_by(ledger) == (RESERVED, 0)


async def test_dispatch_succeeds_once(ledger):
    call = ledger.call()
    await ledger.meter.hold(call)
    permit = await ledger.meter.dispatch(call.id, 1, grant=call.grant)

    assert permit.reservation_id == call.id
    with pytest.raises(Busy):
        await ledger.meter.dispatch(call.id, 1, grant=call.grant)


async def test_dispatch_asked_again_under_the_same_ticket_is_the_same_permission(ledger):
    call = ledger.call()
    await ledger.meter.hold(call)
    path, body = f"/v1/reservations/{call.id}/dispatch", {"holder": 1, "ticket": "lost-reply"}

    first = await ledger.post(path, body, call.grant)
    again = await ledger.post(path, body, call.grant)

    assert (first.status_code, again.status_code) == (200, 200)


async def test_reserve_and_dispatch_in_one_request_gives_one_permit(ledger):
    call = ledger.call()

    first = await ledger.meter.hold(call, dispatch=True)
    again = await ledger.meter.hold(call, dispatch=True)

    assert first.permit is not None
    assert again.permit is None
    with pytest.raises(Busy):
        await ledger.meter.dispatch(call.id, 1, grant=call.grant)


async def test_higher_token_adopts_an_undispatched_hold(ledger):
    call = ledger.call()
    await ledger.meter.hold(call)

    adopted = await ledger.meter.hold(replace(call, holder=2))

    assert (adopted.adopted, adopted.replayed) == (True, True)
    with pytest.raises(Busy):
        await ledger.meter.dispatch(call.id, 1, grant=call.grant)
    assert await ledger.meter.dispatch(call.id, 2, grant=call.grant)
    assert await held_by(ledger) == (RESERVED, 0)


async def test_lower_token_is_busy(ledger):
    call = ledger.call(holder=5)
    await ledger.meter.hold(call)

    with pytest.raises(Busy) as refused:
        await ledger.meter.hold(replace(call, holder=4))

    assert refused.value.extra["holder"] == 5


async def test_higher_token_does_not_adopt_a_dispatched_hold(ledger):
    call = ledger.call()
    await ledger.meter.hold(call, dispatch=True)

    with pytest.raises(Busy) as refused:
        await ledger.meter.hold(replace(call, holder=2))

    assert refused.value.extra["sent"] is True


async def test_resolve_voids_what_was_never_dispatched(ledger):
    call = ledger.call()
    await ledger.meter.hold(call)

    outcome = await ledger.meter.resolve(call.id, 2, grant=call.grant)

    assert (outcome.state, outcome.charged_nano) == ("VOIDED", 0)
    assert await held_by(ledger) == (0, 0)


async def test_resolve_forfeits_what_was_dispatched(ledger):
    call = ledger.call()
    await ledger.meter.hold(call, dispatch=True)

    outcome = await ledger.meter.resolve(call.id, 2, grant=call.grant)

    assert (outcome.state, outcome.charged_nano) == ("FORFEITED", RESERVED)
    assert await held_by(ledger) == (0, RESERVED)


async def test_resolve_by_a_lower_token_is_busy(ledger):
    call = ledger.call(holder=3)
    await ledger.meter.hold(call, dispatch=True)

    with pytest.raises(Busy):
        await ledger.meter.resolve(call.id, 2, grant=call.grant)

    assert await held_by(ledger) == (RESERVED, 0)


async def test_void_by_the_holder_costs_nothing_even_after_dispatch(ledger):
    call = ledger.call()
    await ledger.meter.hold(call, dispatch=True)

    outcome = await ledger.meter.void(call.id, 1, grant=call.grant)

    assert (outcome.state, outcome.charged_nano) == ("VOIDED", 0)


async def test_void_by_another_is_busy(ledger):
    call = ledger.call()
    await ledger.meter.hold(call, dispatch=True)

    with pytest.raises(Busy):
        await ledger.meter.void(call.id, 2, grant=call.grant)


@pytest.mark.parametrize("how", ["void", "resolve"])
async def test_another_end_of_an_ended_reservation_says_how_it_ended(ledger, how):
    call = ledger.call()
    await ledger.meter.hold(call)
    await ledger.meter.settle(call.id, USED, grant=call.grant)

    outcome = await getattr(ledger.meter, how)(call.id, 1, grant=call.grant)

    assert (outcome.state, outcome.charged_nano) == ("SETTLED", COST)


async def test_reserve_of_an_ended_reservation_says_how_it_ended(ledger):
    call = ledger.call()
    await ledger.meter.hold(call, dispatch=True)
    await ledger.meter.resolve(call.id, 1, grant=call.grant)

    hold = await ledger.meter.hold(call, dispatch=True)

    assert (hold.state, hold.charged_nano, hold.permit) == ("FORFEITED", RESERVED, None)


async def test_ended_reservation_cannot_be_dispatched(ledger):
    call = ledger.call()
    await ledger.meter.hold(call)
    await ledger.meter.void(call.id, 1, grant=call.grant)

    with pytest.raises(Busy):
        await ledger.meter.dispatch(call.id, 1, grant=call.grant)


async def test_extend_moves_the_end_of_the_lease(ledger):
    call = ledger.call(lease_s=1.0)
    hold = await ledger.meter.hold(call)

    expires = await ledger.meter.extend(call.id, 1, 600.0, grant=call.grant)

    assert expires > hold.expires + 500
    assert await ledger.redis.zscore(f"lg:{{{ledger.tenant}}}:exp", call.id) == expires * 1000


async def test_extend_by_another_holder_is_busy(ledger):
    call = ledger.call()
    await ledger.meter.hold(call)

    with pytest.raises(Busy):
        await ledger.meter.extend(call.id, 2, 60.0, grant=call.grant)


async def test_sweep_leaves_a_lease_that_is_not_over(ledger):
    call = ledger.call()
    await ledger.meter.hold(call, dispatch=True)

    assert await ledger.parts.endings.sweep(ledger.tenant, call.id) is False
    assert await held_by(ledger) == (RESERVED, 0)


async def test_sweep_forfeits_a_dispatched_call_whose_lease_is_over(ledger):
    call = ledger.call()
    await ledger.meter.hold(call, dispatch=True)
    await ledger.lapse(call.id)

    swept = (await ledger.http.post("/sweep")).json()

    assert swept["ended"] >= 1
    assert await held_by(ledger) == (0, RESERVED)
    [event] = await ledger.drained()
    assert event.json()["outcome"] == "forfeited"
    assert event.json()["cost"]["total_nano"] == RESERVED


async def test_sweep_voids_a_call_that_was_never_dispatched(ledger):
    call = ledger.call()
    await ledger.meter.hold(call)
    await ledger.lapse(call.id)

    await ledger.http.post("/sweep")

    assert await held_by(ledger) == (0, 0)


async def test_settle_after_the_forfeit_adjusts_to_the_true_cost(ledger):
    call = ledger.call()
    await ledger.meter.hold(call, dispatch=True)
    await ledger.meter.resolve(call.id, 1, grant=call.grant)

    charge = await ledger.meter.settle(call.id, USED, grant=call.grant)
    again = await ledger.meter.settle(call.id, USED, grant=call.grant)

    assert (charge.state, charge.total_nano) == ("FORFEITED", COST)
    assert again.total_nano == COST
    assert await held_by(ledger) == (0, COST)
    events = await ledger.drained()
    assert [e.json().get("delta_nano") for e in events] == [None, COST - RESERVED]
    assert events[1].id == f"{call.id}:adj:1"


async def test_cost_above_the_reservation_is_posted_in_full(ledger):
    call = ledger.call()
    await ledger.meter.hold(call, dispatch=True)
    dear = Settlement(usage=Usage(input_uncached=1000, output_text=1000))

    charge = await ledger.meter.settle(call.id, dear, grant=call.grant)

    over = 500 * 600
    assert charge.total_nano == RESERVED + over
    account = await ledger.account(f"tenant|{ledger.tenant}|life")
    assert account["usd.ovr"] == str(over)
    [event] = await ledger.drained()
    assert event.json()["cost"]["overrun_nano"] == over


async def test_unknown_reservation_is_not_found(ledger):
    grant = ledger.granted()

    for ending in (ledger.meter.resolve("nobody", 1, grant=grant),
                   ledger.meter.settle("nobody", USED, grant=grant),
                   ledger.meter.dispatch("nobody", 1, grant=grant)):
        with pytest.raises(NotFound):
            await ending


async def test_post_charges_what_was_never_reserved_once(ledger):
    call = ledger.call()

    first = await ledger.meter.post(call, USED)
    again = await ledger.meter.post(call, USED)

    assert (first.total_nano, first.replayed, again.replayed) == (COST, False, True)
    assert await held_by(ledger) == (0, COST)
    [event] = await ledger.drained()
    assert event.json()["outcome"] == "unreserved"


async def test_post_of_a_reserved_id_is_a_conflict(ledger):
    call = ledger.call()
    await ledger.meter.hold(call)

    with pytest.raises(Permanent):
        await ledger.meter.post(call, USED)


async def test_adjustment_counts_once_per_key_and_never_below_zero(ledger):
    call = ledger.call()
    await ledger.meter.hold(call)
    await ledger.meter.settle(call.id, USED, grant=call.grant)
    path = f"/v1/reservations/{call.id}/adjustments"
    body = {"key": "refund-1", "delta_nano": -COST, "reason": "refund"}
    bearer = {"authorization": f"Bearer {ledger.api_key}"}

    answers = [await ledger.http.post(path, json=body, headers=bearer) for _ in range(2)]
    below = await ledger.http.post(path, json=body | {"key": "refund-2"}, headers=bearer)

    assert [(a.status_code, a.json()["total_nano"]) for a in answers] == [(200, 0), (200, 0)]
    assert answers[1].json()["replayed"] is True
    assert below.status_code == 422
    assert await held_by(ledger) == (0, 0)


async def test_open_reservation_cannot_be_adjusted(ledger):
    call = ledger.call()
    await ledger.meter.hold(call)

    answer = await ledger.http.post(
        f"/v1/reservations/{call.id}/adjustments",
        json={"key": "k", "delta_nano": 1, "reason": "r"},
        headers={"authorization": f"Bearer {ledger.api_key}"})

    assert answer.status_code == 409


async def test_denied_for_good_is_stored_and_touches_no_balance(ledger):
    await ledger.budget(RESERVED - 1)
    call = ledger.call()

    for _ in range(2):
        with pytest.raises(Denied) as denied:
            await ledger.meter.hold(call)

    assert (denied.value.account, denied.value.unit, denied.value.reason) == (
        f"tenant|{ledger.tenant}|life", "usd", "spent")
    assert (denied.value.need, denied.value.have) == (RESERVED, RESERVED - 1)
    assert await held_by(ledger) == (0, 0)
    [event] = await ledger.drained()
    assert event.id == f"{call.id}:denied"


async def test_raised_budget_does_not_revive_a_final_denial_but_admits_a_new_ask(ledger):
    await ledger.budget(0)
    call = ledger.call()
    with pytest.raises(Denied):
        await ledger.meter.hold(call)
    await ledger.budget(NO_LONGER_SHORT)

    with pytest.raises(Denied):
        await ledger.meter.hold(call)
    assert (await ledger.meter.hold(ledger.call())).state == "PENDING"


NO_LONGER_SHORT = 10**12


async def test_open_holds_deny_for_now_and_leave_no_trace(ledger):
    await ledger.budget(RESERVED)
    first, second = ledger.call(), ledger.call()
    await ledger.meter.hold(first)

    with pytest.raises(Denied) as denied:
        await ledger.meter.hold(second)

    assert (denied.value.reason, denied.value.have) == ("held", 0)
    assert await ledger.redis.exists(f"lg:{{{ledger.tenant}}}:r:{second.id}") == 0
    assert not [e for e in await ledger.drained() if "denied" in e.type]
    await ledger.meter.void(first.id, 1, grant=first.grant)
    assert (await ledger.meter.hold(second)).state == "PENDING"


async def test_task_never_outspends_its_grant(ledger):
    grant = {"usd": RESERVED, "task": "small"}
    await ledger.meter.hold(ledger.call(**grant))

    with pytest.raises(Denied) as denied:
        await ledger.meter.hold(ledger.call(**grant))

    assert denied.value.account == "task|small|life"


async def test_subtree_never_outspends_its_root(ledger):
    from shared.auth import TaskLimits

    root = (TaskLimits(task="root", usd=RESERVED, tok=10**9),)
    await ledger.meter.hold(ledger.call(task="a", ancestors=root))

    with pytest.raises(Denied) as denied:
        await ledger.meter.hold(ledger.call(task="b", ancestors=root))

    assert denied.value.account == "task|root|life"


async def test_free_call_passes_an_exhausted_budget(ledger):
    await ledger.budget(0)
    call = ledger.call(kind="tool", model=None, tool="calculator", tool_version="1.0.0",
                       input_tokens_max=0, output_tokens_max=0)

    hold = await ledger.meter.hold(call, dispatch=True)

    assert (hold.state, hold.reserved_nano) == ("PENDING", 0)


async def test_tool_costs_what_its_contract_says(ledger):
    call = ledger.call(kind="tool", model=None, tool="reader", tool_version="1.0.0",
                       input_tokens_max=0, output_tokens_max=0)
    await ledger.meter.hold(call, dispatch=True)

    charge = await ledger.meter.settle(call.id, Settlement(usage=Usage(basis="none")),
                                       grant=call.grant)

    assert charge.total_nano == 5_000
    [event] = await ledger.drained()
    assert event.json()["tool"] == {"name": "reader", "version": "1.0.0"}


@pytest.mark.parametrize("unpriced", [
    {"model": "scripted-like/none"}, {"model": "openai/no-such-model-at-all"},
    {"kind": "tool", "model": None, "tool": "unlisted"}])
async def test_unknown_price_is_refused_never_free(ledger, unpriced):
    with pytest.raises(Unpriced):
        await ledger.meter.hold(ledger.call(**unpriced))

    assert await ledger.accounts() == {}


@pytest.mark.parametrize("forged", ["", "not.a.grant", "eyJhbGciOiJub25lIn0.e30."])
async def test_forged_or_missing_grant_spends_nothing(ledger, forged):
    call = replace(ledger.call(), grant=forged)

    with pytest.raises(Unauthorized):
        await ledger.meter.hold(call)

    assert await ledger.accounts() == {}


async def test_expired_grant_reserves_nothing_and_still_settles(ledger):
    live, over = ledger.call(), ledger.granted(exp=1)
    await ledger.meter.hold(live, dispatch=True)

    with pytest.raises(Unauthorized):
        await ledger.meter.hold(replace(ledger.call(), grant=over))
    charge = await ledger.meter.settle(live.id, USED, grant=over)

    assert charge.state == "SETTLED"


async def test_caller_cannot_name_its_own_accounts(ledger):
    from tests.integration.ledger.conftest import reserve_body

    body, grant = reserve_body(ledger.call(), scopes=["tenant:other"])

    answer = await ledger.post("/v1/reservations", body, grant)

    assert answer.status_code == 422
    assert "scopes" in answer.text


async def test_account_in_use_is_prolonged_before_it_could_go_early_by_more_than_an_hour(ledger):
    key = f"lg:{{{ledger.tenant}}}:a:task|t1|life"
    await ledger.meter.hold(ledger.call())

    for left_s in (STATE_TTL_S - 60, STATE_TTL_S - 3_700, 5):
        await ledger.redis.expire(key, left_s)
        await ledger.meter.hold(ledger.call())

        assert STATE_TTL_S - 3_600 <= await ledger.redis.ttl(key) <= STATE_TTL_S


async def test_amounts_up_to_the_largest_are_kept_exactly(ledger):
    call = ledger.call(usd=2**53 - 1, tok=2**53 - 1, input_tokens_max=2**53 - 2**43,
                       output_tokens_max=0, model=None, kind="tool", tool="calculator",
                       tool_version="1.0.0")

    await ledger.meter.hold(call)

    assert (await ledger.account("task|t1|life"))["tok.res"] == str(2**53 - 2**43)
    with pytest.raises(Permanent, match="2\\^53"):
        await ledger.meter.hold(ledger.call(
            usd=2**53 - 1, tok=2**53 - 1, input_tokens_max=2**53 - 1, output_tokens_max=0,
            model=None, kind="tool", tool="calculator", tool_version="1.0.0"))
