"""A ledger that is told to answers once a replica has what it wrote, and not before (ADR 0036)."""

import os
import signal

import pytest

from functions.ledger.settings import LedgerSettings
from shared.metering import Settlement, Unavailable
from shared.settings import Misconfigured
from shared.store import connect
from shared.usage import Usage
from tests.frozen import frozen
from tests.integration.ledger.audit import Books, assert_sound
from tests.integration.ledger.conftest import serving
from tests.redis_server import RedisServer
from tests.system import until

pytestmark = pytest.mark.anyio
AT_ONCE = ("--repl-diskless-sync-delay", "0")
USED = Settlement(usage=Usage(input_uncached=10, output_text=10))


@pytest.fixture
def servers(tmp_path):
    with RedisServer(tmp_path / "first", options=AT_ONCE) as first, RedisServer(
            tmp_path / "copy", options=("--replicaof", "127.0.0.1", str(first.port))) as copy:
        yield first, copy


@pytest.fixture
async def ledger(servers):
    first, copy = servers
    await until(lambda: "master_link_status:up" in copy.call("info", "replication"),
                what="the replica follows")
    async with serving(first.url) as ledger:
        store = ledger.parts.reservations.store
        plain, store.redis = store.redis, connect(first.url, copies=1)
        yield ledger
        await store.redis.aclose()
        store.redis = plain


async def test_what_was_answered_is_in_the_copy_that_is_promoted(ledger, servers):
    first, copy = servers
    call = ledger.call()
    await ledger.meter.hold(call, dispatch=True)
    charge = await ledger.meter.settle(call.id, USED, grant=call.grant)
    os.kill(first.pid, signal.SIGKILL)
    copy.call("replicaof", "no", "one")

    promoted = connect(copy.url)
    books = await assert_sound(promoted, ledger.tenant)
    assert books.of("SETTLED") == {call.id}
    assert books.number(f"tenant|{ledger.tenant}|life", "usd.pst") == charge.total_nano
    await promoted.aclose()


async def test_while_the_copy_is_away_nothing_is_answered_and_later_nothing_done_twice(
        ledger, servers):
    call = ledger.call()
    with frozen(servers[1].pid):
        for _ in range(2):  # the second is a replay that writes nothing: it is no answer either
            with pytest.raises(Unavailable, match="fewer than 1 replicas"):
                await ledger.meter.hold(call)

    assert (await ledger.meter.hold(call)).state == "PENDING"
    books = await Books.read(ledger.redis, ledger.tenant)
    assert books.of("PENDING") == {call.id}


@pytest.mark.parametrize("copies", ["-1", "6", "one"])
def test_number_of_copies_that_is_none_is_refused_at_the_start(copies):
    with pytest.raises(Misconfigured, match="TOLLGATE_REDIS_COPIES"):
        LedgerSettings.from_env({"TOLLGATE_REDIS_COPIES": copies})
