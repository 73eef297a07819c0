import json

import httpx2
import pytest

from eventing.http import encode_binary, encode_structured
from functions.costs.events.sequence import Range
from functions.costs.trust import gaps
from functions.costs.trust.ledger import LedgerEvents
from shared.errors import Forbidden, Transient, Unauthorized

pytestmark = pytest.mark.anyio


@pytest.fixture
def deliver(http):
    async def send(*events):
        for event in events:
            headers, body = encode_binary(event)
            answer = await http.post("/", headers=headers, content=body)
            assert (answer.status_code, answer.content) == (204, b""), answer.text

    return send


async def test_delivered_events_answer_costs_by_dimension(http, deliver, ledger):
    await deliver(ledger.attributed("r-1", cost=1500), ledger.attributed(
        "r-2", cost=500, tool="calculator"), ledger.denied("r-3"))

    body = (await http.get("/v1/costs", params={"group_by": "kind"})).json()

    assert body["rows"] == [
        {"kind": "llm", "cost_nano": 1500, "invocations": 1, "tokens": 120},
        {"kind": "tool", "cost_nano": 500, "invocations": 1, "tokens": 0}]
    assert body["total_nano"] == 2000
    assert body["tenant"] == ledger.tenant


async def test_redelivered_event_is_acknowledged_and_changes_nothing(http, deliver, ledger):
    event = ledger.attributed("r-1")

    await deliver(event, event)

    assert (await http.get("/v1/costs")).json()["invocations"] == 1
    assert (await http.get("/v1/gaps")).json()["duplicates"] == 1


async def test_span_limits_the_costs(http, deliver, ledger):
    await deliver(ledger.attributed("r-1", cost=1, at="2026-11-20T10:00:00Z"),
                  ledger.attributed("r-2", cost=2, at="2026-11-21T10:00:00Z"))

    day = await http.get("/v1/costs?from=2026-11-21&to=2026-11-22&group_by=day")
    hour = await http.get("/v1/costs?from=2026-11-20T10:00:00%2B00:00&to=2026-11-20T10:00:01Z")

    assert [r["day"] for r in day.json()["rows"]] == ["2026-11-21"]
    assert (day.json()["total_nano"], hour.json()["total_nano"]) == (2, 1)


async def test_task_shows_its_invocations_by_start(http, deliver, ledger):
    await deliver(
        ledger.attributed("r-2", step=2, started="2026-11-20T10:00:02Z",
                                at="2026-11-20T10:00:03.500Z", cost=7),
        ledger.attributed("r-1", tool="reader", started="2026-11-20T10:00:01Z", cost=5),
        ledger.denied("r-3"))

    body = (await http.get("/v1/costs/tasks/t-1")).json()

    assert [(i["id"], i["name"], i["cost_nano"]) for i in body["invocations"]] == [
        ("r-1", "reader", 5), ("r-2", "scripted/small", 7)]
    assert body["invocations"][1]["duration_ms"] == 1500
    assert (body["total_nano"], body["agent"], body["trace_id"]) == (12, "researcher", "a" * 32)
    assert [d["id"] for d in body["denials"]] == ["r-3:denied"]


async def test_events_come_back_as_they_were(http, deliver, ledger):
    event = ledger.attributed("r-1")
    await deliver(event)

    (found,) = (await http.get("/v1/events", params={"task": "t-1"})).json()["events"]

    assert found == json.loads(encode_structured(event)[1])


async def test_denials_say_account_need_have_and_reason(http, deliver, ledger):
    await deliver(ledger.denied("r-1"), ledger.denied("r-2"))

    (latest,) = (await http.get("/v1/denials?limit=1")).json()["denials"]

    assert latest["id"] == "r-2:denied"
    assert {k: latest[k] for k in ("account", "need", "have", "reason")} == {
        "account": "task|t-1|life", "need": 900, "have": 300, "reason": "spent"}


async def test_gap_is_named_by_epoch(http, deliver, ledger):
    events = [ledger.attributed(f"r-{n}") for n in range(4)]
    await deliver(events[0], events[3])

    body = (await http.get("/v1/gaps")).json()

    assert (body["gapless"], body["missing_count"]) == (False, 2)
    assert body["epochs"] == [{
        "epoch": "1", "first": 1, "last": 4, "count": 2, "duplicates": 0, "missing_count": 2,
        "missing": [{"first": 2, "last": 3}], "missing_ranges": 1}]


@pytest.mark.parametrize(("path", "status", "named"), [
    ("/v1/costs?group_by=colour", 422, "allowed are"),
    ("/v1/costs?from=2026-11-21&to=2026-11-20", 422, "is not after"),
    ("/v1/costs?tenant=other", 403, "only"),
    ("/v1/gaps?tenant=other", 403, "only"),
    ("/v1/costs/tasks/unknown", 404, "unknown"),
    ("/v1/events", 422, "name the task"),
    ("/v1/costs?from=0001-01-01&tz=America/New_York", 422, "1970"),
    ("/v1/costs?to=9999-12-31&tz=Europe/Berlin", 422, "2200"),
    ("/v1/trust/days?from=0001-01-01&to=0001-01-02", 422, "1970"),
    ("/v1/export/focus?month=9999-12", 422, "month"),
    ("/v1/denials?limit=0", 422, "limit"),
    pytest.param(f"/v1/denials?limit={'9' * 5000}", 422, "limit", id="endless limit"),
    pytest.param(f"/v1/costs?limit={'9' * 5000}", 422, "limit", id="endless limit of sums"),
    ("/v1/denials?limit=999", 422, "limit"),
])
async def test_bad_question_gets_a_clear_answer(http, path, status, named):
    answer = await http.get(path)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert named in answer.json()["detail"]


@pytest.mark.parametrize(("key", "status"), [("Bearer nobody", 401), ("", 401),
                                             ("Bearer tg_tasks_only", 403)])
@pytest.mark.parametrize("path", ["/v1/costs", "/v1/costs/tasks/t-1", "/v1/events?task=t-1",
                                  "/v1/denials", "/v1/gaps"])
async def test_nobody_reads_costs_without_the_right(http, deliver, ledger, path, key, status):
    await deliver(ledger.attributed("r-1"))

    assert (await http.get(path, headers={"authorization": key})).status_code == status


@pytest.mark.parametrize("change", [{"ledgerseq": "0"}, {"ledgerseq": "x"}, {"tenantid": "other"}])
async def test_broken_event_is_refused_for_good(http, ledger, change):
    headers, body = encode_binary(ledger.attributed("r-1").extended(**change))

    assert (await http.post("/", headers=headers, content=body)).status_code == 400


async def test_incomplete_data_is_refused_with_its_path(http, ledger):
    event = ledger.attributed("r-1")
    headers, body = encode_binary(event)
    body = json.dumps(event.json() | {"cost": {"total_nano": "a lot"}}).encode()

    answer = await http.post("/", headers=headers, content=body)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == "cost.total_nano"


async def test_redis_away_is_503_so_that_the_broker_delivers_again(away, ledger):
    headers, body = encode_binary(ledger.attributed("r-1"))

    assert (await away.post("/", headers=headers, content=body)).status_code == 503
    assert (await away.get("/v1/costs")).status_code == 503


async def test_metrics_show_sums_of_all_time_by_tenant_and_agent(http, deliver, ledger):
    event = ledger.attributed("r-1", cost=1500)
    await deliver(event, event)

    lines = (await http.get("/metrics")).text.splitlines()

    labels = f'{{agent="researcher",tenant="{ledger.tenant}"}}'
    assert f"tollgate_cost_nano_usd{labels} 1500.0" in lines
    assert f"tollgate_invocations{labels} 1.0" in lines
    assert not [line for line in lines if 'task="' in line or 'session="' in line]


def ledger_of(events, *, status=200):
    """A ledger's HTTP API over these events."""

    def answer(request):
        assert request.headers["authorization"] == "Bearer k"
        if request.url.path == "/v1/summary":
            return httpx2.Response(status, json={"epoch": "1", "events": len(events)})
        wanted = range(int(request.url.params["from"]), int(request.url.params["to"]) + 1)
        found = [json.loads(encode_structured(e)[1]) for e in events
                 if e.number("ledgerseq") in wanted]
        return httpx2.Response(status, json={"events": found})

    client = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
    return LedgerEvents("http://ledger", client)


async def test_holes_and_the_tail_are_filled_from_the_ledger(store, ledger, monkeypatch):
    monkeypatch.setattr(gaps, "PAGE_MAX", 2)
    events = [ledger.attributed(f"r-{n}") for n in range(10)]
    for event in (events[0], events[5]):
        await store.store(event)

    body = await gaps.fill(store, ledger_of(events), ledger.tenant, "Bearer k")

    assert (body["filled"], body["gapless"], body["events"]) == (8, True, 10)
    again = await gaps.fill(store, ledger_of(events), ledger.tenant, "Bearer k")
    assert again["filled"] == 0


async def test_store_that_has_nothing_is_filled_whole(store, ledger):
    events = [ledger.attributed(f"r-{n}") for n in range(3)]

    body = await gaps.fill(store, ledger_of(events), ledger.tenant, "Bearer k")

    assert (body["filled"], body["gapless"]) == (3, True)


async def test_what_the_ledger_lacks_stays_missing(store, ledger):
    events = [ledger.attributed(f"r-{n}") for n in range(4)]
    await store.store(events[3])

    body = await gaps.fill(store, ledger_of([events[0], events[3]]), ledger.tenant, "Bearer k")

    assert (body["filled"], body["missing_count"]) == (1, 2)


@pytest.mark.parametrize(("status", "raised"), [(401, Unauthorized), (403, Forbidden),
                                                (503, Transient)])
async def test_ledger_that_refuses_says_so(store, ledger, status, raised):
    with pytest.raises(raised):
        await gaps.fill(store, ledger_of([], status=status), ledger.tenant, "Bearer k")


async def test_ledger_that_speaks_no_json_is_away(store, ledger):
    client = httpx2.AsyncClient(transport=httpx2.MockTransport(
        lambda _: httpx2.Response(200, text="<html>Welcome</html>")))

    with pytest.raises(Transient, match="no JSON"):
        await gaps.fill(store, LedgerEvents("http://ledger", client), ledger.tenant, "Bearer k")


async def test_ledger_away_is_503(http):
    assert (await http.post("/v1/gaps/fill")).status_code == 503


def test_empty_hole_has_no_page():
    assert list(gaps.pages_of(Range(5, 4))) == []
