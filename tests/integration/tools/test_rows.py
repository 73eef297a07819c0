import asyncio
from uuid import uuid4

import pytest

from shared.errors import Busy, Transient
from shared.toolcalls.rows import Calls, Fenced

pytestmark = pytest.mark.anyio


@pytest.fixture
def tenant():
    return f"t{uuid4().hex[:12]}"


async def test_a_second_holder_is_busy_until_the_first_lets_go(redis, tenant):
    calls = Calls(redis)
    async with calls.take(tenant, "c"):
        with pytest.raises(Busy):
            async with calls.take(tenant, "c"):
                pass

    async with calls.take(tenant, "c") as call:
        assert call.token == 2


async def test_what_a_fenced_holder_writes_does_not_count(redis, tenant):
    calls = Calls(redis, lease_s=0.01, renew_s=60)
    async with calls.take(tenant, "c") as first:
        await asyncio.sleep(0.05)
        async with calls.take(tenant, "c") as second:
            with pytest.raises(Fenced):
                await calls.answer(first, "{}")
            await calls.answer(second, '"kept"')

    async with calls.take(tenant, "c") as later:
        assert later.outcome == '"kept"'


async def test_a_renewed_lease_outlives_its_length(redis, tenant):
    calls = Calls(redis, lease_s=0.2, renew_s=0.02)
    async with calls.take(tenant, "c"):
        await asyncio.sleep(0.4)
        with pytest.raises(Busy):
            async with calls.take(tenant, "c"):
                pass


async def test_a_renewal_that_swallows_its_cancellation_ends_with_the_hold(
        redis, tenant, monkeypatch):
    calls = Calls(redis, renew_s=0.01)
    run, renewing = calls._run, asyncio.Event()

    async def stubborn(op, *rest):
        if op != "renew":
            return await run(op, *rest)
        renewing.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise Transient("the client made a time-out of it") from None

    monkeypatch.setattr(calls, "_run", stubborn)
    async with calls.take(tenant, "c"):
        await renewing.wait()

    assert all("_renew" not in str(task) for task in asyncio.all_tasks())
