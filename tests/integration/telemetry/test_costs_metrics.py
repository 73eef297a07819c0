"""What costs show of functions that are at zero: stored sums, and counts of what events say."""

import json
from dataclasses import replace
from itertools import product

import pytest
from prometheus_client.parser import text_string_to_metric_families as families

from eventing.http import encode_binary
from eventing.task_events import completed
from functions.costs.events.facts import read
from functions.costs.routes import metrics
from functions.costs.store import standing
from functions.costs.store.ends import ENDS
from functions.costs.store.store import Stored
from shared.tasks.contract import Status
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
        answer = await http.post("/", headers=headers, content=body)
        assert answer.status_code == 204, answer.text
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

    counted = {p: found["tollgate_thresholds_crossed_total", p] for p in (*standing.PERCENTS,
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
async def test_tasks_are_counted_by_how_they_end(http, ledger, status, error, end):
    agent = f"agent-{end}-{ledger.tenant}"

    text = await scraped(http, ended(ledger, agent, status=status, error=error))

    others = {f'status="{other}"' for other in ENDS if other != end}
    counts = [line for line in text.splitlines()
              if line.startswith("tollgate_tasks_total") and agent in line]
    assert [line for line in counts if line.endswith(" 1.0")] == [
        f'tollgate_tasks_total{{agent="{agent}",status="{end}",tenant="{ledger.tenant}"}} 1.0']
    assert all(any(other in line for line in counts) for other in others)
    took = "tollgate_task_duration_seconds"
    assert f'{took}_bucket{{agent="{agent}",le="5.0"}} 1.0' in text
    assert f'{took}_bucket{{agent="{agent}",le="2.0"}} 0.0' in text
    assert f'{took}_count{{agent="{agent}"}} 1.0' in text
    assert f'{took}_sum{{agent="{agent}"}} 4.5' in text
    assert f'tollgate_task_cost_nano_usd_total{{agent="{agent}"}} 2.5e+08' in text


def ended(ledger, agent, *, task="t-9", status=Status.FAILED, error=None):
    event = completed(state(task, tenant=ledger.tenant).but(
        status=status, error=error, created_at=1.0, ended_at=5.5))
    data = event.json()
    data["result"]["cost_usd"] = "0.25"
    return replace(event, data=json.dumps(data).encode(),
                   extensions={**event.extensions, "agent": agent})


async def scraped(http, *events):
    for event in events:
        headers, body = encode_binary(event)
        answer = await http.post("/", headers=headers, content=body)
        assert answer.status_code == 204, answer.text
    return (await http.get("/metrics")).text


async def test_event_of_a_tasks_end_is_no_event_of_the_ledger_and_counts_once(http, ledger):
    end = ended(ledger, "researcher")

    found = await told(http, ledger, end, end)

    assert found["tollgate_tasks_total", "failed"] == 1
    assert found["tollgate_sequence_events",] == 0


async def test_no_count_is_lost_with_its_process(http, ledger, settings, redis):
    unpriced = changed(ledger.attributed("r-1"), cost={"price_basis": "requested"})
    ends = [ended(ledger, "researcher", task=f"t-{n}") for n in range(3)]
    events = [unpriced, unpriced, ledger.threshold("t-1"), ledger.denied("r-2"), *ends]
    before = await told(http, ledger, *events)

    async with conftest.client_of(settings, redis) as successor:
        after = await told(successor, ledger)

    assert after == before
    assert after["tollgate_tasks_total", "failed"] == 3
    assert after["tollgate_thresholds_crossed_total", "80"] == 1
    assert after["tollgate_unpriced_answers_total",] == 1
    assert after["tollgate_ledger_duplicates_total",] == 1
    assert {kind: after["tollgate_ledger_events_total", kind]
            for kind in ("attributed", "denied", "threshold", "adjusted")} == {
        "attributed": 1, "denied": 1, "threshold": 1, "adjusted": 0}


async def test_failed_call_of_a_model_says_of_which_kind_and_how_long_it_was_held(http, ledger):
    def one(n, **parts):
        return changed(ledger.attributed(f"r-{n}"), model={"selected": "broken"}, **parts)

    unanswered = {"invocation": {"started": None, "ended": None}}

    text = await scraped(http, one(1), one(2, outcome="voided", **unanswered),
                         one(3, outcome="forfeited", **unanswered),
                         one(4, result={"error_type": "anything at all"}))

    sums = {sample.labels["error_type"]: sample.value for family in families(text)
            for sample in family.samples
            if sample.name == "gen_ai_client_operation_duration_seconds_sum"
            and sample.labels["gen_ai_request_model"] == "broken"}
    assert sums == {"": 1, "voided": 0.04, "forfeited": 0.04, "_OTHER": 1}


async def test_series_stay_below_the_monitors_limit(ledger, monkeypatch):
    monkeypatch.setattr(metrics, "_models", {})
    collectors = (metrics.MODEL_TOKENS, metrics.MODEL_SECONDS)
    for collector in collectors:
        collector.clear()
    fact = read(ledger.attributed("r"))
    for n, outcome in product(range(1000), ("settled", *metrics.FAILED)):
        event = changed(ledger.attributed("r"), model={"selected": f"m{n}"}, outcome=outcome)
        metrics.count(read(event), Stored.STORED)
        metrics.count(read(changed(event, outcome="settled", result={"error_type": f"e{n}"})),
                      Stored.STORED)
    pairs = {(f"t{n}", "a"): fact.sums for n in range(standing.SETS_MAX)}
    kinds = {(*pair, k): 1 for pair in pairs for k in ("settled", "forfeited")}
    many = {f"t{n}": {f"a{n}": {"failed": 1, "ms": 5}} for n in range(1000)}
    numbers = standing.Numbers(
        0, 0, 1, thresholds=dict.fromkeys((*standing.PERCENTS, "other"), 1),
        kinds=dict.fromkeys(("attributed", "denied", "adjusted", "threshold"), 1))
    shown = metrics._Once(standing.Standing(
        pairs, kinds, {}, {f"t{n}": numbers for n in range(500)},
        standing._ends(many, pairs), standing._tasks(many)))

    count = sum(len(family.samples) for c in (*collectors, shown) for family in c.collect())

    for collector in collectors:
        collector.clear()
    assert SAMPLES_MAX // 2 < count < SAMPLES_MAX
