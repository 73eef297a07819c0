"""The metering client against the ledger itself: one call, many at once, lost answers."""

import httpx2
import pytest

from shared.errors import Busy, Permanent, Unauthorized
from shared.limits import RESERVE_BATCH_MAX
from shared.metering import Denied, Hold, Meter, Permit, Unavailable, Unpriced

pytestmark = pytest.mark.anyio


def calls(ledger, count, **changes):
    """Return calls of one task, which share its grant."""
    grant = ledger.granted(**changes)
    return [ledger.call(grant=grant) for _ in range(count)]


async def test_each_of_many_calls_is_held_and_may_be_made(ledger):
    asked = calls(ledger, 3)

    held = await ledger.meter.hold_each(asked, dispatch=True)

    assert [hold.permit.reservation_id for hold in held] == [call.id for call in asked]
    assert {hold.state for hold in held} == {"PENDING"}
    one = await ledger.meter.hold(ledger.call())
    assert held[0].reserved_nano == one.reserved_nano
    assert (await ledger.account("task|t1|life"))["calls.res"] == "4"


async def test_more_calls_than_a_request_takes_are_held_in_several(ledger):
    asked = calls(ledger, RESERVE_BATCH_MAX + 1)

    held = await ledger.meter.hold_each(asked)

    assert len(held) == len(asked)
    assert all(isinstance(hold, Hold) and hold.permit is None for hold in held)


async def test_error_of_one_call_stands_in_its_place(ledger):
    fits, unpriced, other, too_much = calls(ledger, 4, usd=2_000_000)
    unpriced = ledger.call(grant=fits.grant, model="nobody/knows")
    too_much = ledger.call(grant=fits.grant, output_tokens_max=10_000_000)
    await ledger.meter.hold(ledger.call(id=other.id, grant=fits.grant, holder=2))

    found = await ledger.meter.hold_each([fits, unpriced, other, too_much], dispatch=True)

    assert isinstance(found[0].permit, Permit)
    assert [type(each) for each in found[1:]] == [Unpriced, Busy, Denied]
    assert (found[3].account, found[3].unit) == ("task|t1|life", "usd")
    assert found[3].output_tokens_fitting > 0


async def test_same_calls_again_are_replays_and_no_permission(ledger):
    asked = calls(ledger, 2)
    await ledger.meter.hold_each(asked, dispatch=True)

    again = await ledger.meter.hold_each(asked, dispatch=True)

    assert [(hold.replayed, hold.permit) for hold in again] == [(True, None)] * 2


async def test_calls_of_two_tasks_are_not_asked_for_together(ledger):
    with pytest.raises(ValueError, match="one grant"):
        await ledger.meter.hold_each([ledger.call(task="t1"), ledger.call(task="t2")])


async def test_forged_grant_holds_nothing_for_anybody(ledger):
    with pytest.raises(Unauthorized):
        await ledger.meter.hold_each([ledger.call(grant="forged")])


async def test_batch_whose_answer_was_lost_gives_each_permit_once(ledger):
    async with losing_first_answer(ledger) as client:
        held = await Meter("http://ledger", client).hold_each(calls(ledger, 2), dispatch=True)

    assert [hold.permit is not None for hold in held] == [True, True]
    assert [hold.replayed for hold in held] == [True, True]


def losing_first_answer(ledger):
    """A client whose first answer is lost after the ledger has given it."""
    lost = []

    async def losing(request):
        answer = await ledger.http.send(httpx2.Request(
            request.method, request.url, headers=request.headers, content=request.content))
        if not lost:
            lost.append(answer)
            raise httpx2.ReadError("the answer was lost")
        return httpx2.Response(answer.status_code, content=answer.content)

    return httpx2.AsyncClient(transport=httpx2.MockTransport(losing))


async def test_ledger_that_is_away_is_unavailable_after_bounded_attempts(ledger):
    tried = []

    async def away(request):
        tried.append(request)
        raise httpx2.ConnectError("refused")

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(away)) as client:
        with pytest.raises(Unavailable):
            await Meter("http://ledger", client).hold(ledger.call())

    assert len(tried) == 3


async def test_lost_answer_is_asked_again_and_gives_one_permit(ledger):
    async with losing_first_answer(ledger) as client:
        hold = await Meter("http://ledger", client).hold(ledger.call(), dispatch=True)

    assert hold.permit is not None
    assert hold.replayed


@pytest.mark.parametrize("said", [
    (500, b"<html>"), (502, b"{}"), (400, b"[]"), (409, b'{"title": "Busy"}')])
async def test_answer_without_problem_details_means_that_the_ledger_is_away(ledger, said):
    async def strange(_):
        return httpx2.Response(said[0], content=said[1])

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(strange)) as client:
        with pytest.raises(Unavailable, match="without problem details"):
            await Meter("http://ledger", client).hold(ledger.call())


async def test_refusal_that_nobody_knows_is_permanent(ledger):
    async def refuse(_):
        return httpx2.Response(422, json={"title": "New", "detail": "what", "code": "new"})

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(refuse)) as client:
        with pytest.raises(Permanent, match="what") as refused:
            await Meter("http://ledger", client).hold(ledger.call())

    assert refused.value.extra["code"] == "new"
