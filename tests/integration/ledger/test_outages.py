"""Redis goes away and comes back: the ledger fails closed, forgets nothing, and recovers."""

import anyio
import httpx2
import pytest

from eventing.local.embedded_redis import start
from shared.limits import LEDGER_STORE_TIMEOUT_S, LEDGER_TIMEOUT_S
from shared.metering import Meter, Settlement, Unavailable
from shared.store import connect
from shared.usage import Usage
from tests.frozen import frozen
from tests.integration.ledger.conftest import killed, reserve_body, serving

pytestmark = pytest.mark.anyio
USED = Settlement(usage=Usage(input_uncached=10, output_text=10))


@pytest.fixture
def server(tmp_path):
    running = start(tmp_path, durable=True)
    yield running
    running.stop()


async def test_redis_gone_is_unavailable_and_its_return_forgets_nothing(server):
    async with serving(server.url) as ledger:
        call, refused = ledger.call(), ledger.call()
        await ledger.meter.hold(call, dispatch=True)
        killed(server)

        body, grant = reserve_body(refused)
        answer = await ledger.post("/v1/reservations", body, grant)
        with pytest.raises(Unavailable):
            await ledger.meter.hold(refused)
        server.revive()

        assert answer.status_code == 503
        charge = await ledger.meter.settle(call.id, USED, grant=call.grant)
        assert charge.state == "SETTLED"
        assert (await ledger.meter.hold(refused)).state == "PENDING"
        [event] = await ledger.drained()
        assert event.id == call.id


async def test_scripts_are_loaded_again_by_a_redis_that_lost_them(ledger):
    await ledger.meter.hold(ledger.call())
    await ledger.redis.script_flush()

    assert (await ledger.meter.hold(ledger.call())).state == "PENDING"


async def test_event_read_by_a_ledger_that_died_is_published_by_another(ledger):
    call = ledger.call()
    await ledger.meter.hold(call)
    await ledger.meter.settle(call.id, USED, grant=call.grant)
    stream = f"lg:{{{ledger.tenant}}}:out"
    await ledger.redis.xgroup_create(stream, "drain", id="0")
    await ledger.redis.xreadgroup("drain", "dead", {stream: ">"})
    assert await ledger.drained() == []
    [pending] = await ledger.redis.xpending_range(stream, "drain", "-", "+", 1)
    await ledger.redis.execute_command(
        "XCLAIM", stream, "drain", "dead", 0, pending["message_id"], "IDLE", 60_000)

    assert await ledger.parts.outbox.claim(ledger.tenant) == 1
    assert [e.id for e in await ledger.drained()] == [call.id]


async def test_frozen_redis_is_unavailable_and_forgets_nothing(server):
    async with serving(server.url) as ledger:
        call = ledger.call()
        ledger.parts.reservations.store.redis = connect(server.url, 0.1)
        await ledger.meter.hold(call, dispatch=True)
        with frozen(server.pid):
            body, grant = reserve_body(ledger.call())
            assert (await ledger.post("/v1/reservations", body, grant)).status_code == 503

        charge = await ledger.meter.settle(call.id, USED, grant=call.grant)
        await ledger.parts.reservations.store.redis.aclose()

    assert charge.state == "SETTLED"


async def test_frozen_ledger_is_unavailable_after_the_time_of_one_call(ledger, monkeypatch):
    asked = []

    async def silent(request):
        asked.append(request)
        await anyio.sleep_forever()

    monkeypatch.setattr("shared.metering.client.LEDGER_TIMEOUT_S", 0.05)
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(silent)) as client:
        with pytest.raises(Unavailable, match="no answer within"):
            await Meter("http://ledger", client).hold(ledger.call())

    assert len(asked) == 1


def test_ledger_gives_up_its_store_before_its_caller_gives_up_the_ledger():
    assert 2 * LEDGER_STORE_TIMEOUT_S < LEDGER_TIMEOUT_S
