"""What costs show of functions that are at zero: stored sums, and counts of what events say."""

import json
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families as families

from eventing.http import encode_binary
from eventing.task_events import completed
from functions.costs import metrics, standing
from functions.costs.facts import read
from functions.costs.store import Stored
from shared.tasks.contract import AgentResult, Status
from tests.integration.costs import conftest
from tests.states import state

pytestmark = pytest.mark.anyio
http, settings, redis, ledger = conftest.http, conftest.settings, conftest.redis, conftest.ledger
SAMPLES_MAX = 20_000
"""`sampleLimit` of the component's PodMonitor."""


def changed(event, **parts):
    data = event.json()
    for name, fields in parts.items():
        data[name] = {**data[name], **fields} if isinstance(fields, dict) else fields
    return replace(event, data=json.dumps(data).encode())


async def told(http, ledger, *events):
    for event in events:
        headers, body = encode_binary(event)
        assert (await http.post("/", headers=headers, content=body)).status_code == 204
    text = (await http.get("/metrics")).text
    return {(s.name, *(v for k, v in sorted(s.labels.items()) if k not in ("tenant", "agent"))):
            s.value for family in families(text) for s in family.samples
            if s.labels.get("tenant") == ledger.tenant}


async def test_every_figure_of_the_store_is_shown(http, ledger):
    settled = changed(ledger.attributed("r-1", cost=900), invocation={"cold_start": True},
                      cost={"overrun_nano": 7})
    lost = changed(ledger.attributed("r-2", cost=50), outcome="forfeited")

    found = await told(http, ledger, settled, lost, lost, ledger.denied("r-3"))

    assert found["tollgate_cost_nano_usd",] == 950
    assert found["tollgate_cold_starts_total",] == 1
    assert found["tollgate_overrun_nano_usd_total",] == 7
    assert found["tollgate_invocation_failures_total",] == 1
    assert found["tollgate_invocations_ended_total", "settled"] == 1
    assert found["tollgate_invocations_ended_total", "forfeited"] == 1
    assert found["tollgate_denials_total", "spent"] == 1
    assert (found["tollgate_sequence_missing",], found["tollgate_sequence_events",]) == (0, 3)


async def test_gap_and_conflict_are_figures(http, ledger):
    first, _, third = (ledger.attributed(f"r-{n}") for n in range(3))
    twin = replace(third, id="another")

    found = await told(http, ledger, first, third, twin)

    assert found["tollgate_sequence_missing",] == 1
    assert found["tollgate_sequence_conflicts",] == 1


async def test_restart_resets_no_stored_figure(http, ledger, settings, redis):
    await told(http, ledger, changed(ledger.attributed("r-1"), outcome="forfeited"))

    async with conftest.client_of(settings, redis) as again:
        found = await told(again, ledger)

    assert found["tollgate_invocations_ended_total", "forfeited"] == 1


async def test_threshold_is_counted_by_percent_from_zero(http, ledger):
    odd = changed(ledger.threshold("b"), percent=33)

    found = await told(http, ledger, ledger.threshold("a"), odd)

    counted = {p: found["tollgate_thresholds_crossed_total", p] for p in (*metrics.PERCENTS,
                                                                          "other")}
    assert counted == {"50": 0, "80": 1, "90": 0, "100": 0, "other": 1}


@pytest.mark.parametrize(("basis", "count"), [("response", 0), ("requested", 1)])
async def test_answer_without_a_price_of_its_own_is_counted(http, ledger, basis, count):
    found = await told(http, ledger, changed(ledger.attributed("r"), cost={"price_basis": basis}))

    assert found["tollgate_unpriced_answers_total",] == count


async def test_answer_with_a_providers_tool_without_a_price_is_counted(http, ledger):
    line = {"sku": "s", "meter": "unpriced:image_generation", "qty": 1, "unit_price": "0",
            "cost_usd": "0"}

    found = await told(http, ledger, changed(ledger.attributed("r"), cost={
        "price_basis": "response", "lines": [line]}))

    assert found["tollgate_unpriced_answers_total",] == 1


async def test_scrapes_read_the_store_once_in_a_while(http, ledger):
    await told(http, ledger, ledger.attributed("r-1"))

    found = await told(http, ledger, ledger.attributed("r-2"))

    assert found["tollgate_invocations",] == 1


@pytest.mark.parametrize(("status", "error", "end"), [
    (Status.COMPLETED, None, "completed"), (Status.COMPLETED, "max steps reached", "partial"),
    (Status.FAILED, "x", "failed"), (Status.CANCELLED, None, "cancelled")])
def test_tasks_are_counted_by_how_they_end(status, error, end):
    agent = f"agent-{end}"

    metrics.count_task("acme", agent, AgentResult(
        task_id="t", status=status, error=error, cost_usd="0.25", duration_ms=4500))

    value = metrics.REGISTRY.get_sample_value
    assert value("tollgate_tasks_total", {"tenant": "acme", "agent": agent, "status": end}) == 1
    assert value("tollgate_task_duration_seconds_bucket", {"agent": agent, "le": "5.0"}) == 1
    assert value("tollgate_task_duration_seconds_bucket", {"agent": agent, "le": "2.0"}) == 0
    assert value("tollgate_task_cost_nano_usd_total", {"agent": agent}) == 250_000_000


async def test_event_of_a_tasks_end_is_counted_once_and_no_event_of_the_ledger(http, ledger):
    ended = completed(state("t-9", tenant=ledger.tenant).but(
        status=Status.FAILED, error="x", created_at=1.0, ended_at=3.0))

    found = await told(http, ledger, ended, ended)

    assert found["tollgate_tasks_total", "failed"] == 1
    assert found["tollgate_sequence_events",] == 0


async def test_series_stay_below_the_monitors_limit(ledger, monkeypatch):
    for name in ("_pairs", "_agents", "_models", "_tenants"):
        monkeypatch.setattr(metrics, name, {})
    collectors = (metrics.TASKS, metrics.TASK_COST, metrics.TASK_SECONDS, metrics.MODEL_TOKENS,
                  metrics.MODEL_SECONDS, metrics.UNPRICED, metrics.THRESHOLDS, metrics.EVENTS)
    for collector in collectors:
        collector.clear()
    fact = read(ledger.attributed("r"))
    for n in range(1000):
        metrics.count_task(f"t{n}", f"a{n}", AgentResult(task_id="t", status=Status.FAILED))
        event = changed(ledger.attributed("r"), model={"selected": f"m{n}"})
        metrics.count(event, replace(fact, tenant=f"t{n}"), Stored.STORED)
    pairs = {(f"t{n}", "a"): fact.sums for n in range(standing.SETS_MAX)}
    kinds = {(*pair, k): 1 for pair in pairs for k in ("settled", "forfeited")}
    shown = metrics._Once(standing.Standing(pairs, kinds, {}, {
        f"t{n}": standing.Numbers(0, 0, 1) for n in range(500)}))

    count = sum(len(family.samples) for c in (*collectors, shown) for family in c.collect())

    for collector in collectors:
        collector.clear()
    assert SAMPLES_MAX // 2 < count < SAMPLES_MAX
