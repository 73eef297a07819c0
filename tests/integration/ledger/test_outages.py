"""Redis goes away and comes back: the ledger fails closed, forgets nothing, and recovers."""

import os
import signal

import pytest

from eventing.local.embedded_redis import start
from shared.metering import Settlement, Unavailable
from shared.usage import Usage
from tests.integration.ledger.conftest import reserve_body, serving

pytestmark = pytest.mark.anyio
USED = Settlement(usage=Usage(input_uncached=10, output_text=10))


@pytest.fixture
def server(tmp_path):
    running = start(tmp_path, durable=True)
    yield running
    running.stop()


def killed(server):
    os.kill(server.pid, signal.SIGKILL)
    server._process.wait()


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
