"""Scripts that are asked for at once share a write, and nothing else: neither fate nor answers."""

import asyncio
import contextlib

import pytest
import uvloop

from eventing.local.embedded_redis import start
from shared.errors import TollgateError
from shared.store import Script, Unavailable, connect, mapped

pytestmark = pytest.mark.anyio
ECHO = "return {KEYS[1], ARGV[1]}"
FUSSY = "if ARGV[1] == 'bad' then return redis.error_reply('ERR bad') end return ARGV[1]"


@pytest.fixture
def script(tmp_path):
    def made(text):
        (tmp_path / "script.lua").write_text(text)
        return Script(tmp_path / "script.lua")
    return made


async def writes(redis):
    """Return how often Redis was read from, and how many scripts it ran."""
    found = await redis.info("stats"), await redis.info("commandstats")
    return found[0]["total_reads_processed"], found[1].get(
        "cmdstat_evalsha", {"calls": 0})["calls"]


async def test_everybody_gets_his_own_answer_out_of_few_writes(redis, script):
    echo = script(ECHO)
    await echo(redis, ["k"], ["first"])
    reads, calls = await writes(redis)

    found = await asyncio.gather(*(echo(redis, [f"k{n}"], [n]) for n in range(40)))

    after = await writes(redis)
    assert found == [[f"k{n}", str(n)] for n in range(40)]
    assert after[1] - calls == 40
    assert after[0] - reads <= 4 + 2  # 20, 10, 8, 2, and INFO twice


async def test_error_of_one_is_nobody_elses(redis, script):
    fussy = script(FUSSY)

    found = await asyncio.gather(
        *(fussy(redis, [], [word]) for word in ("a", "bad", "b")), return_exceptions=True)

    assert (found[0], found[2]) == ("a", "b")
    assert isinstance(found[1], TollgateError)


async def test_script_that_redis_forgot_is_loaded_again(redis, script):
    echo = script(ECHO)
    await echo(redis, ["k"], ["1"])
    await redis.script_flush()

    assert await echo.each(redis, [(["k"], ["2"]), (["k"], ["3"])]) == [["k", "2"], ["k", "3"]]


async def test_script_that_redis_forgets_at_once_is_a_passing_fault(redis, script, monkeypatch):
    echo = script(ECHO)

    async def forgotten(_):
        await redis.script_flush()

    monkeypatch.setattr(redis, "script_load", forgotten)
    await redis.script_flush()
    with pytest.raises(Unavailable, match="forgot"):
        await echo(redis, ["k"], ["1"])


async def test_caller_who_went_away_takes_no_answer_from_others(redis, script):
    echo = script(ECHO)
    gone = asyncio.create_task(echo(redis, ["k"], ["gone"]))
    stays = asyncio.create_task(echo(redis, ["k"], ["stays"]))
    await asyncio.sleep(0)
    gone.cancel()

    assert await stays == ["k", "stays"]
    with contextlib.suppress(asyncio.CancelledError):
        await gone
    assert await echo(redis, ["k"], ["next"]) == ["k", "next"]


async def test_who_waits_behind_a_failure_is_told_at_once(tmp_path, script):
    server, echo = start(tmp_path / "redis", durable=False), script(ECHO)
    redis = connect(server.url, timeout_s=1.0)
    await echo(redis, ["k"], ["1"])
    server.stop()

    asked = [asyncio.create_task(echo(redis, ["k"], [n])) for n in range(200)]
    async with asyncio.timeout(10):  # 200 calls in 4 batches, each of which could wait by itself
        found = await asyncio.gather(*asked, return_exceptions=True)

    assert all(isinstance(each, Unavailable) for each in found), found
    await redis.aclose()


@pytest.mark.parametrize("value", [None, True, object()])
async def test_value_that_redis_has_no_form_for_is_refused(redis, script, value):
    with pytest.raises(TollgateError):
        await script(ECHO)(redis, ["k"], [value])


async def test_value_without_a_form_harms_nobody_who_asks_at_the_same_time(redis, script):
    echo = script(ECHO)
    others = [asyncio.create_task(echo(redis, ["k"], [n])) for n in range(3)]
    with pytest.raises(TollgateError, match="form"):
        await echo(redis, ["k"], [None])

    assert await asyncio.gather(*others) == [["k", str(n)] for n in range(3)]


async def test_fault_of_a_batch_is_told_to_all_who_wait_for_it(redis, script, monkeypatch):
    echo = script(ECHO)

    async def breaks():
        raise LookupError("a bug")

    monkeypatch.setattr(redis.connection_pool, "get_connection", breaks)
    asked = [asyncio.create_task(echo(redis, ["k"], [n])) for n in range(3)]
    found = await asyncio.gather(*asked, return_exceptions=True)

    assert [type(each) for each in found] == [LookupError] * 3


async def loses(url):
    """Send a command over a connection that closed after it was taken from the pool."""
    client = connect(url)
    connection = await client.connection_pool.get_connection()
    connection._writer.transport.abort()
    try:
        with mapped():
            await connection.send_command("PING")
    finally:
        await client.aclose()


def test_connection_that_closed_before_the_write_is_a_server_that_does_not_answer(redis_url):
    runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)  # as functions run
    with runner, pytest.raises(Unavailable, match="closed"):
        runner.run(loses(redis_url))
