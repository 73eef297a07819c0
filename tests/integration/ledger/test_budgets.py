"""Limits, credentials, quotes and housekeeping over HTTP."""

import json
import time

import httpx2
import pytest

from eventing.http import encode_structured
from functions.ledger.store import Store
from shared.errors import NotFound
from shared.limits import TENANT_CACHE_S
from shared.metering import Denied, Meter, Settlement
from shared.telemetry import span
from shared.usage import Usage
from tests.integration.ledger.conftest import reserve_body

pytestmark = pytest.mark.anyio
TRACE = "0af7651916cd43dd8448eb211c80319c"
RESERVED = 1000 * 150 + 500 * 600
USED = Settlement(usage=Usage(input_uncached=10, output_text=10))


async def test_limit_of_a_model_denies_that_model_only(ledger):
    await ledger.budget(1, scope="model", owner="scripted/dear", window="d")

    with pytest.raises(Denied) as denied:
        await ledger.meter.hold(ledger.call(model="scripted/dear"))

    assert denied.value.account.startswith("model|scripted/dear|d|")
    assert (await ledger.meter.hold(ledger.call(model="scripted/cheap"))).state == "PENDING"


async def test_limit_of_a_tool_counts_calls(ledger):
    await ledger.budget(1, scope="tool", owner="calculator", unit="calls")
    tool = {"kind": "tool", "model": None, "tool": "calculator", "input_tokens_max": 0,
            "output_tokens_max": 0}
    await ledger.meter.hold(ledger.call(**tool))

    with pytest.raises(Denied) as denied:
        await ledger.meter.hold(ledger.call(**tool))

    assert (denied.value.unit, denied.value.reason) == ("calls", "held")


async def test_removed_limit_admits_at_once(ledger):
    await ledger.budget(1)
    bearer = {"authorization": f"Bearer {ledger.api_key}"}
    path = f"/v1/budgets/tenant/{ledger.tenant}"

    removed = await ledger.http.delete(path, headers=bearer)

    assert removed.status_code == 204
    assert (await ledger.meter.hold(ledger.call())).state == "PENDING"
    assert (await ledger.http.get(path, headers=bearer)).status_code == 404


async def test_budget_that_gives_a_call_too_many_accounts_is_refused(ledger):
    for window in ("h", "w"):
        assert (await ledger.budget(9, window=window)).status_code == 200
        assert (await ledger.budget(9, scope="agent", owner="a", window=window)).is_success

    refused = await ledger.budget(9, scope="model", owner="scripted/x")

    assert refused.status_code == 422
    assert "17 accounts" in refused.json()["detail"]


@pytest.mark.parametrize("path", ["/v1/budgets/tenant/x", "/v1/events", "/v1/summary"])
async def test_no_credential_reads_nothing(ledger, path):
    assert (await ledger.http.get(path)).status_code == 401


async def test_grant_sets_no_budget_and_reads_no_events(ledger):
    headers = {"tollgate-grant": ledger.granted()}

    put = await ledger.http.put("/v1/budgets/agent/a", json={"limit": 1}, headers=headers)
    events = await ledger.http.get("/v1/events", headers=headers)

    assert (put.status_code, events.status_code) == (401, 401)


async def test_one_tenant_cannot_end_anothers_reservation(ledger):
    call = ledger.call()
    await ledger.meter.hold(call)
    other = ledger.granted(tenant="another")

    answer = await ledger.post(f"/v1/reservations/{call.id}/void", {"holder": 1}, other)

    assert answer.status_code == 404
    assert (await ledger.get(f"/v1/reservations/{call.id}"))["state"] == "PENDING"


async def test_quote_prices_a_call_and_holds_nothing(ledger):
    body = {"model": "scripted/x", "input_tokens_max": 1000, "output_tokens_max": 500}

    answer = await ledger.post("/v1/quotes", body, ledger.granted())

    assert answer.json()["reserve_nano"] == RESERVED
    assert await ledger.accounts() == {}


@pytest.mark.parametrize("fault", [
    {"holder": -1}, {"lease_s": 0}, {"input_tokens_max": 2**53}, {"kind": "other"},
    {"id": "with space"}, {"tool": "both"}, {"model": None}])
async def test_body_out_of_range_is_refused_with_its_path(ledger, fault):
    body, grant = reserve_body(ledger.call(), **fault)

    answer = await ledger.post("/v1/reservations", body, grant)

    assert answer.status_code == 422
    assert answer.json()["errors"]


async def test_ended_rows_expire_and_open_ones_do_not(ledger):
    open_call, ended = ledger.call(), ledger.call()
    for call in (open_call, ended):
        await ledger.meter.hold(call)
    await ledger.meter.settle(ended.id, USED, grant=ended.grant)
    row = f"lg:{{{ledger.tenant}}}:r:"

    assert await ledger.redis.ttl(row + open_call.id) == -1
    assert 13 * 86400 < await ledger.redis.ttl(row + ended.id) <= 14 * 86400
    task = f"lg:{{{ledger.tenant}}}:a:task|t1|life"
    assert 13 * 86400 < await ledger.redis.ttl(task) <= 14 * 86400
    assert await ledger.redis.ttl(f"lg:{{{ledger.tenant}}}:a:tenant|{ledger.tenant}|life") == -1


async def test_only_accepted_events_older_than_14_days_are_dropped(ledger):
    call = ledger.call()
    await ledger.meter.hold(call)
    await ledger.meter.settle(call.id, USED, grant=call.grant)
    later, outbox = time.time() + 15 * 86400, ledger.parts.outbox
    stream = f"lg:{{{ledger.tenant}}}:out"
    await ledger.redis.xgroup_create(stream, "drain", id="0")
    await ledger.redis.xreadgroup("drain", "dead", {stream: ">"})

    assert await outbox.trim(ledger.tenant, later) == 0
    await ledger.redis.xack(stream, "drain", (await ledger.redis.xrange(stream))[0][0])
    assert await outbox.trim(ledger.tenant, time.time()) == 0
    assert await outbox.trim(ledger.tenant, later) == 1


async def test_requests_of_the_meter_carry_the_callers_trace(ledger):
    seen = []

    async def notes(request):
        seen.append(request.headers["traceparent"].split("-")[1])
        return httpx2.Response(404, json={"detail": "no", "title": "Not found"})

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(notes)) as client:
        with span("step", traceparent=f"00-{TRACE}-{'1' * 16}-01"), pytest.raises(NotFound):
            await Meter("http://ledger", client).void("r", 1, grant="g")

    assert seen == [TRACE]


async def test_events_page_holds_structured_cloudevents(ledger):
    call = ledger.call()
    await ledger.meter.hold(call)
    await ledger.meter.void(call.id, 1, grant=call.grant)
    [event] = await ledger.drained()

    page = await ledger.get("/v1/events?from=1&to=5")

    assert page["events"] == [json.loads(encode_structured(event)[1])]


async def test_window_is_the_one_of_redis_however_wrong_the_ledgers_clock(ledger):
    await ledger.meter.hold(ledger.call())
    days = {name for name in await ledger.accounts() if "|d|" in name}
    ledger.parts.reservations.store._offset_s += 86400

    await ledger.meter.hold(ledger.call())

    assert {name for name in await ledger.accounts() if "|d|" in name} == days


async def test_what_is_kept_with_limits_is_read_again_after_a_while(ledger):
    now = [time.time()]
    store = Store(ledger.redis, clock=lambda: now[0])
    before = await store.tenant(ledger.tenant)
    await ledger.redis.hset(f"lg:{{{ledger.tenant}}}:lim", "zone", "Asia/Tokyo")

    now[0] += TENANT_CACHE_S
    same = await store.tenant(ledger.tenant)
    now[0] += 1
    later = await store.tenant(ledger.tenant)

    assert [known.limits.zone for known in (before, same, later)] == ["UTC", "UTC", "Asia/Tokyo"]


async def test_all_budgets_are_listed_with_their_balances(ledger):
    await ledger.budget(10**9, window="d", policy="pause")
    await ledger.budget(5, scope="agent", owner="re/searcher x", unit="calls")
    call = ledger.call()
    await ledger.meter.hold(call)

    found = await ledger.get("/v1/budgets")

    agent, tenant = found["budgets"]
    assert (agent["scope"], agent["id"], agent["unit"], agent["limit"]) == (
        "agent", "re/searcher x", "calls", 5)
    assert (tenant["window"], tenant["policy"], tenant["held"], tenant["free"]) == (
        "d", "pause", RESERVED, 10**9 - RESERVED)
    assert (found["zone"], found["prices"], found["caps"]) == ("UTC", None, [])


async def test_set_warns_of_an_owner_that_matches_nothing(ledger):
    await ledger.meter.hold(ledger.call())
    asked = [("agent", "researcher"), ("agent", "re sercher"), ("model", "openai/gpt-99"),
             ("tool", "reader"), ("tool", "readr")]

    told = [(await ledger.budget(9, scope, owner, unit="calls")).json()["warnings"]
            for scope, owner in asked]

    assert told[0] == told[3] == []
    assert told[1] == [f"tenant {ledger.tenant}: agent re sercher has never been charged: "
                       "is it spelled right?"]
    assert told[2] == [f"tenant {ledger.tenant}: model openai/gpt-99 has no price here: "
                       "nothing can call it"]
    assert "readr" in told[4][0]


async def test_tenant_without_budgets_has_an_empty_list(ledger):
    assert (await ledger.get("/v1/budgets"))["budgets"] == []
    assert (await ledger.http.get("/v1/budgets")).status_code == 401
