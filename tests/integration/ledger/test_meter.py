"""The context manager around one call: whatever happens inside, the hold ends."""

import anyio
import httpx2
import pytest

from shared.metering import Ended, Meter, Settlement, Unavailable
from shared.usage import Usage

pytestmark = pytest.mark.anyio
USED = Settlement(usage=Usage(input_uncached=10, output_text=10))


class Refused(Exception):
    """What a provider's definite refusal looks like to the meter."""

    free = True


async def fail(ledger, call, error):
    async with ledger.meter.reserve(call) as held:
        await held.dispatch()
        raise error


async def state(ledger, call):
    return (await ledger.get(f"/v1/reservations/{call.id}"))["state"]


async def test_answered_call_is_stored_first_and_settled_at_the_exit(ledger):
    call, stored = ledger.call(), []

    async def store(answer):
        stored.append((answer, await state(ledger, call)))

    async with ledger.meter.reserve(call, store) as held:
        permit = await held.dispatch()
        await held.answered(USED)

    assert permit.reservation_id == call.id
    assert stored == [(USED, "PENDING")]
    assert held.charge.total_nano == 10 * 150 + 10 * 600
    assert await state(ledger, call) == "SETTLED"


async def test_call_that_never_left_is_voided(ledger):
    call = ledger.call()

    async with ledger.meter.reserve(call):
        pass

    assert await state(ledger, call) == "VOIDED"


async def test_unknown_outcome_is_forfeited(ledger):
    call = ledger.call()

    with pytest.raises(TimeoutError):
        await fail(ledger, call, TimeoutError())

    assert await state(ledger, call) == "FORFEITED"


async def test_definite_refusal_is_free(ledger):
    call = ledger.call()

    with pytest.raises(Refused):
        await fail(ledger, call, Refused())

    assert await state(ledger, call) == "VOIDED"


async def test_cancelled_call_still_ends_its_hold(ledger):
    call = ledger.call()

    with anyio.CancelScope() as scope:
        async with ledger.meter.reserve(call, dispatch=True):
            scope.cancel()
            await anyio.sleep_forever()

    assert await state(ledger, call) == "FORFEITED"


async def test_ended_reservation_gives_nothing_to_call_with(ledger):
    call = ledger.call()
    async with ledger.meter.reserve(call):
        pass

    with pytest.raises(Ended) as ended:
        async with ledger.meter.reserve(call):
            pytest.fail("an ended reservation was entered")

    assert ended.value.state == "VOIDED"


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
    lost = []

    async def losing(request):
        answer = await ledger.http.send(httpx2.Request(
            request.method, request.url, headers=request.headers, content=request.content))
        if not lost:
            lost.append(answer)
            raise httpx2.ReadError("the answer was lost")
        return httpx2.Response(answer.status_code, content=answer.content)

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(losing)) as client:
        hold = await Meter("http://ledger", client).hold(ledger.call(), dispatch=True)

    assert hold.permit is not None
    assert hold.replayed
