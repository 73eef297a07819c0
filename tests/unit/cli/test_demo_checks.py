"""Each of the demo's checks can fail, by a fact that is as it must not be."""

from dataclasses import replace
from decimal import Decimal

import pytest

from eventing.cli.demo import summary
from eventing.cli.demo_checks import Facts, checks, slept_while_tools_ran

REQUESTED, COMPLETED = "dev.tollgate.tool.requested.v1", "dev.tollgate.tool.completed.v1"


def woke(n, function):
    return {"n": n, "time": float(n), "kind": "woke", "function": function}


def slept(n, function):
    return {"n": n, "time": float(n), "kind": "slept", "function": function}


def event(n, kind, task="t1"):
    return {"n": n, "time": float(n), "kind": "event", "type": kind, "task": task}


def sums(name, rows):
    return {"rows": [{name: key, "cost_nano": cost} for key, cost in rows],
            "total_nano": sum(cost for _, cost in rows)}


FACTS = Facts(
    expected={"sold North": Decimal("1234.50"), "gap North": Decimal(12)},
    task={"id": "t1", "agent": "researcher", "status": "completed", "error": None,
          "steps_used": 4, "tokens_used": 900,
          "result": {"output": "North sold 1,234.5 (-12).", "tool_calls": 2, "duration_ms": 5}},
    records=[woke(1, "researcher"), event(2, REQUESTED), event(3, REQUESTED), woke(4, "reader"),
             slept(5, "researcher"), event(6, COMPLETED), event(7, COMPLETED),
             woke(8, "researcher"), slept(9, "reader"), slept(10, "researcher")],
    functions=[{"name": "researcher", "replicas": 0, "woken": 2, "slept": 2, "processes_max": 1},
               {"name": "ledger", "replicas": 1, "woken": 1, "slept": 0, "processes_max": 1}],
    always_on=frozenset({"ledger"}),
    by_agent=sums("agent", [("researcher", 70)]),
    by_tool=sums("tool", [("reader", 0), (None, 70)]),
    by_model=sums("model", [("scripted/default", 70), (None, 0)]),
    gaps={"gapless": True, "events": 6, "missing_count": 0},
    summary={"posted_nano": 70, "held_nano": 0, "events": 6, "reservations": 6},
    webhook_keys=("k1",),
    traces={"a" * 32: frozenset({"gateway", "researcher", "reader"})},
)


def with_task(**changes):
    return {"task": {**FACTS.task, **changes}}


def test_good_demo_passes_every_check():
    assert checks(FACTS) == dict.fromkeys(checks(FACTS), True)


BAD = [
    ("completed", with_task(status="failed")),
    ("completed", with_task(error="max steps reached")),
    ("answer_correct", with_task(result={"output": "North sold 1,234.6 (-12)."})),
    ("answer_correct", with_task(result=None)),
    ("answer_correct", {"expected": {}}),
    ("costs_equal_ledger", {"summary": {**FACTS.summary, "posted_nano": 71}}),
    ("costs_equal_ledger", {"by_agent": sums("agent", [("researcher", 69)])}),
    ("costs_equal_ledger", {"by_tool": sums("tool", [("reader", 1), (None, 70)])}),
    ("sequence_gapless", {"gaps": {**FACTS.gaps, "gapless": False}}),
    ("sequence_gapless", {"gaps": {**FACTS.gaps, "events": 5}}),
    ("nothing_held", {"summary": {**FACTS.summary, "held_nano": 1}}),
    ("all_at_zero", {"functions": [{**FACTS.functions[0], "replicas": 1}]}),
    ("all_at_zero", {"always_on": frozenset()}),
    ("agent_slept_while_tools_ran", {"records": [r for r in FACTS.records
                                                 if r["kind"] != "slept"]}),
    ("webhook_once", {"webhook_keys": ()}),
    ("webhook_once", {"webhook_keys": ("k1", "k2")}),
    ("webhook_once", {"webhook_keys": ("",)}),
    ("one_trace", {"traces": {}}),
    ("one_trace", {"traces": {**FACTS.traces, "b" * 32: frozenset({"reader"})}}),
    ("one_trace", {"traces": {"a" * 32: frozenset({"gateway", "researcher"})}}),
]


@pytest.mark.parametrize(("name", "change"), BAD)
def test_bad_fact_fails_its_check_alone(name, change):
    found = checks(replace(FACTS, **change))

    assert {check for check, holds in found.items() if not holds} == {name}


def test_every_check_is_made_false_here():
    assert {name for name, _ in BAD} == set(checks(FACTS))


def test_second_post_with_the_same_key_is_allowed():
    assert checks(replace(FACTS, webhook_keys=("k1", "k1")))["webhook_once"]


def test_agent_that_sleeps_between_the_steps_only_did_not_sleep_while_tools_ran():
    records = [woke(1, "researcher"), event(2, REQUESTED), event(3, COMPLETED),
               slept(4, "researcher"), woke(5, "researcher")]

    assert not slept_while_tools_ran(records, "researcher", "t1")


def test_tools_of_another_task_do_not_count():
    records = [woke(1, "researcher"), event(2, REQUESTED, task="t2"), slept(3, "researcher")]

    assert not slept_while_tools_ran(records, "researcher", "t1")


def test_json_holds_what_scripts_rely_on():
    told = summary(FACTS, checks(FACTS))

    assert set(told) == {
        "answer", "task", "functions", "costs", "ledger", "webhook_calls", "checks"}
    assert set(told["task"]) == {
        "id", "status", "steps", "tool_calls", "tokens_used", "duration_ms"}
    assert set(told["costs"]) == {"total_nano", "by_agent", "by_tool", "by_model"}
    assert set(told["ledger"]) == {
        "posted_nano", "held_nano", "reservations", "events", "sequence_gaps"}
    assert told["functions"]["researcher"] == {"woken": 2, "slept": 2, "processes_max": 1}
    assert told["costs"]["by_model"] == {"scripted/default": 70}
