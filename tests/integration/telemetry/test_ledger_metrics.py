"""What the ledger shows of itself: refusals, what is open, what waits to be published."""

import pytest
from prometheus_client.parser import text_string_to_metric_families as families

from shared.errors import Transient
from shared.metering import Denied, Unpriced
from tests.integration.ledger.conftest import reserve_body, serving

pytestmark = pytest.mark.anyio


@pytest.fixture
async def ledger(redis_url):
    async with serving(redis_url) as found:
        yield found


async def scrape(ledger):
    text = (await ledger.http.get("/metrics")).text
    return {(s.name, *(v for k, v in sorted(s.labels.items()) if v != ledger.tenant)): s.value
            for family in families(text) for s in family.samples
            if s.labels.get("tenant", ledger.tenant) == ledger.tenant}


async def test_refusals_are_counted_by_reason(ledger):
    await ledger.budget(1)
    for call, error in ((ledger.call(), Denied), (ledger.call(model="acme/unknown"), Unpriced)):
        with pytest.raises(error):
            await ledger.meter.hold(call)
    body, grant = reserve_body(ledger.call())
    await ledger.post("/v1/reservations:batch", {"reservations": [body]}, grant)

    found = await scrape(ledger)

    assert found["tollgate_reserves_refused_total", "spent"] == 2
    assert found["tollgate_reserves_refused_total", "unpriced"] == 1
    assert found["tollgate_reservations_total", "denied"] == 2


async def test_ends_are_counted_in_redis_so_that_another_process_shows_them(ledger, redis_url):
    call = ledger.call()
    await ledger.meter.hold(call, dispatch=True)
    before = await scrape(ledger)
    await ledger.meter.resolve(call.id, 1, grant=call.grant)

    async with serving(redis_url) as other:
        other.tenant = ledger.tenant
        after = await scrape(other)

    assert before["tollgate_reservations_open",] == 1
    assert after["tollgate_reservations_open",] == 0
    assert after["tollgate_reservations_total", "forfeited"] == 1


async def test_lapsed_lease_shows_its_age(ledger):
    call = ledger.call()
    await ledger.meter.hold(call)
    assert (await scrape(ledger))["tollgate_reservations_overdue_seconds",] == 0

    await ledger.redis.zadd(f"lg:{{{ledger.tenant}}}:exp", {call.id: 1000})

    assert (await scrape(ledger))["tollgate_reservations_overdue_seconds",] > 10**9


@pytest.mark.parametrize("tried", [False, True], ids=["never-read", "read-and-refused"])
async def test_outbox_shows_what_the_broker_has_not_accepted(ledger, tried):
    ledger.broker.away = True
    for _ in range(2):
        call = ledger.call()
        await ledger.meter.hold(call)
        await ledger.meter.void(call.id, 1, grant=call.grant)
    if tried:
        with pytest.raises(Transient):
            await ledger.parts.outbox.drain(ledger.tenant)

    waiting = await scrape(ledger)

    assert waiting["tollgate_outbox_events",] == 2
    assert waiting["tollgate_outbox_lag_seconds",] >= 0


async def test_published_events_leave_nothing_waiting(ledger):
    call = ledger.call()
    await ledger.meter.hold(call)
    await ledger.meter.void(call.id, 1, grant=call.grant)
    await ledger.parts.outbox.drain(ledger.tenant)

    found = await scrape(ledger)

    assert found["tollgate_outbox_events",] == found["tollgate_outbox_lag_seconds",] == 0


async def test_lag_is_the_age_of_the_oldest_event(ledger):
    call = ledger.call()
    await ledger.meter.hold(call)
    await ledger.meter.void(call.id, 1, grant=call.grant)
    [(place, entry)] = await ledger.redis.xrange(f"lg:{{{ledger.tenant}}}:out")
    await ledger.redis.delete(f"lg:{{{ledger.tenant}}}:out")
    await ledger.redis.xadd(f"lg:{{{ledger.tenant}}}:out", entry | {"at": "1000"}, place)

    assert (await scrape(ledger))["tollgate_outbox_lag_seconds",] > 10**9


async def test_stops_are_counted_by_kind(ledger):
    assert {key[1] for key in await scrape(ledger) if key[0] == "tollgate_stops"} == {
        "agent", "all", "tenant", "tool"}
