"""Redis full, read-only, slow, evicting, with a clock that jumps, and an append-only file cut.

Each server is the test's own, of either version; the ledger fails closed and its books stay sound.
"""

import random
import shutil
import time
from types import SimpleNamespace

import pytest

from eventing.local.embedded_redis import start
from shared.metering import Denied, Settlement, Unavailable
from shared.store import Evicting, connect, refuse_eviction
from shared.usage import Usage
from tests.conftest import SERVERS
from tests.integration.ledger.audit import Books, assert_sound, faults
from tests.integration.ledger.conftest import killed, reserve_body, serving
from tests.seeds import SEED, times

pytestmark = pytest.mark.anyio
USED = Settlement(usage=Usage(input_uncached=10, output_text=10))


@pytest.fixture(params=list(SERVERS))
def server(request, tmp_path):
    running = start(tmp_path / "redis", durable=True, program=SERVERS[request.param])
    yield running
    running.stop()


@pytest.fixture
async def own(server):
    async with serving(server.url) as ledger:
        yield ledger


async def worked(ledger, calls=4):
    """Settle, forfeit and leave open some calls; return the open ones."""
    held = [ledger.call() for _ in range(calls)]
    for n, call in enumerate(held):
        await ledger.meter.hold(call, dispatch=True)
        if n % 4 == 0:
            await ledger.meter.settle(call.id, USED, grant=call.grant)
        if n % 4 == 1:
            await ledger.meter.resolve(call.id, 1, grant=call.grant)
    return [call for n, call in enumerate(held) if n % 4 > 1]


FAULTS = {
    "full": (("config", "set", "maxmemory", "1"), ("config", "set", "maxmemory", "0")),
    "read-only": (("replicaof", "127.0.0.1", "1"), ("replicaof", "no", "one")),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_redis_that_takes_no_writes_is_unavailable_and_changes_nothing(own, fault):
    begin, end = FAULTS[fault]
    [call, other] = await worked(own)
    before = await Books.read(own.redis, own.tenant)
    await own.redis.execute_command(*begin)
    try:
        body, grant = reserve_body(own.call())
        reserved = await own.post("/v1/reservations", body, grant)
        settled = await own.post(f"/v1/reservations/{call.id}/settle",
                                 {"usage": {"input_uncached": 10, "output_text": 10}}, call.grant)
        resolved = await own.post(f"/v1/reservations/{other.id}/resolve", {"holder": 1},
                                  other.grant)
        during = await Books.read(own.redis, own.tenant)
    finally:
        await own.redis.execute_command(*end)

    assert [a.status_code for a in (reserved, settled, resolved)] == [503, 503, 503], (
        reserved.text, settled.text, resolved.text)
    assert during == before
    await own.meter.settle(call.id, USED, grant=call.grant)
    await assert_sound(own.redis, own.tenant)


async def test_redis_that_evicts_is_refused_at_the_start(own):
    await own.redis.config_set("maxmemory-policy", "allkeys-lru")

    with pytest.raises(Evicting, match="spend is forgotten"):
        await refuse_eviction(own.redis)


async def test_slow_redis_is_waited_for_and_charges_once(own):
    [call, _] = await worked(own)
    await own.redis.execute_command("client", "pause", 150, "all")

    charge = await own.meter.settle(call.id, USED, grant=call.grant)
    again = await own.meter.settle(call.id, USED, grant=call.grant)

    assert (charge.total_nano, again.total_nano) == (10 * 150 + 10 * 600,) * 2
    await assert_sound(own.redis, own.tenant)


async def test_answer_that_is_lost_in_a_slow_redis_is_found_by_the_next_request(own, server):
    call = own.call()
    store = own.parts.reservations.store
    patient, store.redis = store.redis, connect(server.url, 0.05)
    await own.redis.execute_command("client", "pause", 1000, "all")
    with pytest.raises(Unavailable):
        await own.meter.hold(call)
    await store.redis.aclose()
    store.redis = patient
    await own.redis.ping()  # answered when the pause is over

    assert (await own.meter.hold(call)).state == "PENDING"
    books = await assert_sound(own.redis, own.tenant)
    assert books.of("PENDING") == {call.id}


async def test_append_only_file_cut_anywhere_breaks_no_invariant(tmp_path, server):
    async with serving(server.url) as ledger:
        await worked(ledger, calls=8)
        tenant = ledger.tenant
    server.stop()
    program = server._command[0]
    chance, sizes = random.Random(SEED), []
    for n in range(times(5, 40)):
        copy = tmp_path / f"cut{n}"
        shutil.copytree(tmp_path / "redis", copy, ignore=shutil.ignore_patterns("*.sock", "*.lock"))
        log = max(copy.rglob("*.aof"), key=lambda path: path.stat().st_size)
        size = log.stat().st_size
        with log.open("r+b") as file:
            file.truncate(chance.randrange(size // 4, size))
        cut = start(copy, durable=True, program=program)
        try:
            redis = connect(cut.url)
            books = await Books.read(redis, tenant)
            assert faults(books) == []
            sizes.append(len(books.entries))
            await redis.aclose()
        finally:
            cut.stop()
    assert min(sizes) < max(sizes), "every cut was at the same place"


async def test_script_that_was_cut_never_comes_back_in_part(server):
    redis = connect(server.url)
    await redis.eval("for i = 1, 4 do redis.call('INCR', 'k' .. i) end", 0)
    log = max((server.data_dir).rglob("*.aof"), key=lambda path: path.stat().st_size)
    killed(server)
    with log.open("r+b") as file:
        file.truncate(log.read_bytes().rindex(b"k3"))
    server.revive()
    await redis.set("later", 1)
    await redis.eval("for i = 5, 6 do redis.call('INCR', 'k' .. i) end", 0)
    killed(server)
    server.revive()

    found = await redis.mget("k1", "k2", "k3", "k4", "later", "k5", "k6")
    assert found == [None, None, None, None, "1", "1", "1"]
    await redis.aclose()


async def test_redis_killed_under_load_loses_nothing_acknowledged(server):
    async with serving(server.url) as ledger:
        calls = [ledger.call() for _ in range(12)]
        for call in calls:
            await ledger.meter.hold(call, dispatch=True)
        charged = [await ledger.meter.settle(call.id, USED, grant=call.grant)
                   for call in calls[:6]]
        killed(server)
        server.revive()

        books = await assert_sound(ledger.redis, ledger.tenant)
        assert books.of("SETTLED") == {call.id for call in calls[:6]}
        assert books.of("PENDING") == {call.id for call in calls[6:]}
        posted = books.number(f"tenant|{ledger.tenant}|life", "usd.pst")
        assert posted == sum(charge.total_nano for charge in charged)


@pytest.mark.parametrize("jump_s", [-86_400, -3_600, 3_600, 40 * 86_400])
async def test_ledger_whose_clock_jumps_neither_forfeits_early_nor_moves_a_window(own, jump_s):
    [call, _] = await worked(own)
    clock = SimpleNamespace(now=time.time)
    store, background = own.parts.reservations.store, own.parts.background
    store._clock = background._clock = lambda: clock.now() + jump_s

    await background.sweep()
    await own.meter.hold(own.call())

    books = await assert_sound(own.redis, own.tenant)
    assert call.id in books.of("PENDING")
    assert len([name for name in books.accounts if name.startswith("tenant") and "|d|" in name]) < 3


async def test_lease_that_redis_says_is_over_ends_however_slow_the_ledgers_clock(own):
    [call, other] = await worked(own)
    await own.lapse(call.id)
    own.parts.background._clock = lambda: time.time() - 3_600

    await own.parts.background.sweep()

    books = await assert_sound(own.redis, own.tenant)
    assert books.of("PENDING") == {other.id}


async def test_denied_call_after_a_restart_is_denied_again(own, server):
    assert (await own.budget(1)).status_code == 200
    call = own.call()
    with pytest.raises(Denied):
        await own.meter.hold(call)
    killed(server)
    server.revive()

    with pytest.raises(Denied):
        await own.meter.hold(call)
    await assert_sound(own.redis, own.tenant)
