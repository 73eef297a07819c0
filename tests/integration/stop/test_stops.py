"""The kill switch: nothing that is stopped is reserved, whoever asks and whatever they remember."""

import pytest

from functions.ledger.stops import StopBody
from shared.auth import ApiKey, ApiKeys, hash_key
from shared.errors import Transient
from shared.limits import STOPS_MAX
from shared.metering import Denied
from tests.integration.ledger.conftest import reserve_body, serving

pytestmark = pytest.mark.anyio


@pytest.fixture
async def ledger(redis_url):
    async with serving(redis_url) as found:
        await clean(found)
        admit(found, "platform")
        yield found
        await clean(found)


async def clean(ledger):
    await ledger.redis.delete("lg:{~}:stops", "lg:{~}:stops:out")


def admit(ledger, *rights):
    ledger.parts.door._api_keys = ApiKeys((ApiKey(
        key_sha256=hash_key(ledger.api_key), tenant=ledger.tenant, rights=frozenset(rights)),))


async def ask(ledger, method, path, **given):
    headers = {"authorization": f"Bearer {ledger.api_key}"}
    return await ledger.http.request(method, f"/v1/stops{path}", headers=headers, **given)


async def stop(ledger, kind, name, **body):
    answer = await ask(ledger, "PUT", f"/{kind}/{name}", json={"reason": "a loop", **body})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def start(ledger, kind, name):
    return (await ask(ledger, "DELETE", f"/{kind}/{name}")).status_code


def a_tool(ledger):
    return ledger.call(kind="tool", model=None, tool="calculator", tool_version="1.0.0")


@pytest.mark.parametrize("kind", ["agent", "tool", "tenant", "all"])
async def test_stopped_is_denied_and_holds_nothing_until_it_is_started(ledger, kind):
    names = {"agent": "researcher", "tool": "calculator", "tenant": ledger.tenant, "all": "all"}
    await ledger.meter.hold(a_tool(ledger))  # what this process remembers of the tenant is fresh
    before = await ledger.accounts()
    await stop(ledger, kind, names[kind])

    with pytest.raises(Denied) as denied:
        await ledger.meter.hold(call := a_tool(ledger))

    assert (denied.value.reason, denied.value.policy) == ("stopped", "pause")
    assert denied.value.detail.endswith("is stopped: a loop")
    assert await ledger.accounts() == before
    assert await start(ledger, kind, names[kind]) == 200
    assert (await ledger.meter.hold(call)).state == "PENDING"


@pytest.mark.parametrize(("kind", "name"), [
    ("agent", "writer"), ("tool", "reader"), ("tenant", "somebody-else")])
async def test_stop_of_another_touches_nobody(ledger, kind, name):
    await stop(ledger, kind, name)

    assert (await ledger.meter.hold(a_tool(ledger))).state == "PENDING"


async def test_other_ledger_that_remembers_the_tenant_denies_the_very_next_reserve(ledger,
                                                                                  redis_url):
    async with serving(redis_url) as other:
        call = other.call()
        await other.meter.hold(call)
        await stop(ledger, "agent", "researcher")

        with pytest.raises(Denied):
            await other.meter.hold(other.call())


async def test_tenant_that_nobody_has_seen_is_stopped_with_all(ledger, redis_url):
    await stop(ledger, "all", "all")

    async with serving(redis_url) as fresh:
        with pytest.raises(Denied):
            await fresh.meter.hold(fresh.call())


async def test_calls_that_hold_their_money_already_are_settled_as_ever(ledger):
    call = ledger.call()
    await ledger.meter.hold(call)
    await stop(ledger, "all", "all")

    assert (await ledger.meter.hold(call)).state == "PENDING"  # asked again: the answer was lost
    await ledger.meter.dispatch(call.id, 1, grant=call.grant)
    extended = await ledger.post(f"/v1/reservations/{call.id}/extend",
                                 {"holder": 1, "lease_s": 90}, call.grant)

    assert extended.status_code == 200
    with pytest.raises(Denied):
        await ledger.meter.hold(ledger.call())
    assert (await ledger.meter.resolve(call.id, 1, grant=call.grant)).state == "FORFEITED"


async def test_batch_names_the_stop_for_each_call(ledger):
    await stop(ledger, "agent", "researcher")
    (one, grant), (two, _) = reserve_body(ledger.call()), reserve_body(a_tool(ledger))

    answer = await ledger.post("/v1/reservations:batch", {"reservations": [one, two]}, grant)

    assert [each["problem"]["reason"] for each in answer.json()["reservations"]] == ["stopped"] * 2


async def test_events_say_what_was_stopped_and_started_also_after_the_broker_was_away(ledger):
    ledger.broker.away = True
    await stop(ledger, "tool", "calculator", policy="fail")
    with pytest.raises(Transient):
        await ledger.parts.switch.announce()
    ledger.broker.away = False
    await start(ledger, "tool", "calculator")

    await ledger.parts.background.sweep()
    await ledger.parts.background.sweep()

    told = [e for e in ledger.broker.events if ".stop." in e.type]
    assert [e.type for e in told] == [
        "dev.tollgate.stop.placed.v1", "dev.tollgate.stop.lifted.v1"]
    assert told[0].json() == {"kind": "tool", "name": "calculator", "reason": "a loop",
                              "policy": "fail"}


async def test_same_stop_again_changes_and_tells_nothing(ledger):
    first = await stop(ledger, "agent", "researcher")

    assert await stop(ledger, "agent", "researcher") == first

    assert await ledger.parts.switch.announce() == 1


async def test_only_the_platform_stops_and_everybody_sees_what_concerns_them(ledger):
    await stop(ledger, "tenant", "somebody-else")
    await stop(ledger, "agent", "researcher")
    admit(ledger, "tasks", "budgets", "costs", "events", "admin")

    refused = [await ask(ledger, "PUT", "/all/all", json={"reason": "x"}),
               await ask(ledger, "DELETE", "/agent/researcher")]
    shown = (await ask(ledger, "GET", "")).json()["stops"]

    assert [answer.status_code for answer in refused] == [403, 403]
    assert [one["name"] for one in shown] == ["researcher"]


@pytest.mark.parametrize(("path", "body", "says"), [
    ("/planet/earth", {"reason": "x"}, "kind 'planet'"),
    ("/all/agents", {"reason": "x"}, "the only name of all"),
    ("/agent/%20", {"reason": "x"}, "name ' '"),
    ("/agent/researcher", {}, "reason"),
    ("/agent/researcher", {"reason": ""}, "reason"),
    ("/agent/researcher", {"reason": "x" * 201}, "reason"),
    ("/agent/researcher", {"reason": "x", "policy": "maybe"}, "policy"),
], ids=["kind", "all-named", "name", "no-reason", "empty", "long", "policy"])
async def test_bad_stops_are_refused_by_name(ledger, path, body, says):
    answer = await ask(ledger, "PUT", path, json=body)

    assert answer.status_code in (400, 422)
    assert says in answer.text
    assert await ledger.parts.switch.every() == []


async def test_start_of_what_runs_says_so(ledger):
    answer = await ask(ledger, "DELETE", "/agent/researcher")

    assert (answer.status_code, answer.json()["detail"]) == (
        404, "agent researcher is not stopped")


async def test_stops_are_bounded(ledger):
    await stop(ledger, "tool", "one")
    text = await ledger.redis.hget("lg:{~}:stops", "tool|one")
    await ledger.redis.hset("lg:{~}:stops", mapping={
        f"tool|t{n}": text.replace('"one"', f'"t{n}"') for n in range(STOPS_MAX - 1)})

    answer = await ask(ledger, "PUT", "/tool/more", json={"reason": "x"})

    assert answer.status_code == 413


async def test_stop_of_a_ledger_that_died_half_way_is_finished_by_the_next_sweep(ledger, redis_url):
    async with serving(redis_url) as other:
        await other.meter.hold(other.call())  # it remembers that nothing is stopped
        stopping = ledger.parts.switch
        stopping._raise_versions = _died
        with pytest.raises(Died):
            await stopping.place("tenant", other.tenant, StopBody(reason="a loop"))
        await other.meter.hold(other.call())

        await other.http.post("/sweep")

        with pytest.raises(Denied, match="a loop"):
            await other.meter.hold(other.call())
        assert [e.type for e in other.broker.events if e.subject == f"tenant|{other.tenant}"] == [
            "dev.tollgate.stop.placed.v1"]


class Died(BaseException):
    """The process is gone."""


async def _died(**_):
    raise Died
