"""What a task may cost: from the agent's last tasks, and never above its limits."""

import json
from decimal import Decimal

import pytest

from eventing.cli.estimate import TASKS_MIN, estimate, spread
from eventing.cli.exits import Exit
from eventing.cli.task_trace import Bar

TASKS, AGENTS = ("GET", "/tasks"), ("GET", "/agents")


@pytest.fixture
def functions(functions):
    functions.answers[AGENTS] = (200, {"agents": [{"name": "critic"}, {"name": "researcher"}]})
    return functions


def ended(count, status="completed"):
    return [{"status": status, "cost_usd": f"0.00{n:02d}", "tokens_used": 100 * n, "steps_used": 2}
            for n in range(1, count + 1)]


def test_range_is_where_eight_of_ten_tasks_lie():
    found = spread([Decimal(n) for n in range(1, 101)])

    assert (found.low, found.middle, found.high) == (10, 50, 90)


@pytest.mark.parametrize("count", [0, 1, TASKS_MIN - 1])
def test_too_few_tasks_give_no_range_but_the_limits(count):
    found = estimate({"agent": "a", "token_budget": 2048}, ended(count))

    assert (found.cost_usd, found.tokens, found.steps) == (None, None, None)
    assert (found.cost_max_usd, found.tokens_max, found.tasks) == (1, 2048, count)


def test_no_range_passes_the_requests_limits():
    found = estimate({"agent": "a", "cost_budget_usd": "0.005", "token_budget": 600}, ended(20))

    assert (found.cost_usd.low, found.cost_usd.high) == (Decimal("0.0002"), Decimal("0.0018"))
    assert estimate({"agent": "a", "cost_budget_usd": "0.0005"}, ended(20)).cost_usd.high == \
        Decimal("0.0005")
    assert found.tokens.high == 600


def test_estimate_submits_nothing_and_counts_tasks_that_ran_to_an_end(functions, tollgate):
    running = [{"status": "running", "cost_usd": "9", "tokens_used": 9, "steps_used": 9}]
    functions.answers[TASKS] = (200, {"tasks": ended(12) + ended(3, "failed") + running})

    result = tollgate(["task", "run", "x", "--estimate"])

    assert {request.method for request in functions.asked} == {"GET"}
    lines = result.stdout.splitlines()
    assert lines[0] == ("researcher, from its last 15 tasks; eight of ten lie in the range")
    assert lines[1].startswith("cost    $0.0001 to $0.0011, in the middle $0.0005")
    assert lines[-1].startswith("at most $1, ")


def test_not_enough_data_says_how_much_there_is(functions, tollgate):
    functions.answers[TASKS] = (200, {"tasks": ended(3)})

    result = tollgate(["task", "run", "x", "--estimate", "--json"])

    found = json.loads(result.stdout)
    assert (found["enough_data"], found["cost_usd"], found["tasks"]) == (False, None, 3)
    assert "not enough data: 3 ended tasks, 10 are needed" in tollgate(
        ["task", "run", "x", "--estimate"]).stdout


def test_estimate_of_an_unknown_agent_is_refused_with_those_there_are(functions, tollgate):
    functions.answers[TASKS] = (200, {"tasks": []})

    failure = tollgate(["task", "run", "x", "--estimate", "--agent", "resercher"]).exception

    assert failure.code is Exit.USAGE
    assert failure.what == "there is no agent 'resercher'; there are: critic, researcher"


@pytest.mark.parametrize(("option", "field"), [
    (["--cost", "much"], "cost_budget_usd"), (["--max-steps", "99"], "max_steps"),
    (["--tokens", "1"], "token_budget"), (["--deadline", "-1"], "deadline_s")], ids=str)
def test_estimate_of_a_request_that_nobody_takes_is_refused(functions, tollgate, option, field):
    failure = tollgate(["task", "run", "x", "--estimate", *option]).exception

    assert (failure.code, functions.asked) == (Exit.USAGE, [])
    assert failure.what.startswith(f"{field}: ")


def test_trace_draws_every_call_on_one_axis(functions, tollgate):
    call = {"kind": "llm", "name": "scripted/default", "step": 1, "attempt": 1, "cold_start": True,
            "started": "2026-11-21T09:00:00Z", "ended": "2026-11-21T09:00:01Z",
            "cost_nano": 1500, "outcome": "settled", "error_type": None}
    tool = call | {"kind": "tool", "name": "reader", "started": "2026-11-21T09:00:01Z",
                   "ended": "2026-11-21T09:00:02Z", "cost_nano": 0, "attempt": 2,
                   "cold_start": False, "outcome": "forfeited"}
    functions.answers["GET", "/v1/costs/tasks/t1"] = (200, {
        "task": "t1", "trace_id": "a" * 32, "invocations": [call, tool, call | {"started": None}],
        "denials": [{"step": 2, "account": "task|t1|life", "reason": "spent"}],
        "adjustments": [{"name": "reader", "cost_nano": 5, "reason": "late settle"}],
        "total_nano": 1505, "tokens": 70})

    lines = tollgate(["task", "trace", "t1"]).stdout.splitlines()

    assert lines[0] == f"task t1  trace {'a' * 32}"
    assert lines[1].split("  ")[-1] == "$0.0000015, cold start"
    assert lines[2].endswith("+1.000 s  1000 ms  $0, attempt 2, forfeited")
    assert lines[1].index("█") < lines[2].index("█")
    assert "no times" in lines[3]
    assert lines[4] == "step 2  denied: task|t1|life (spent)"
    assert lines[-1] == "2.000 s, 70 tokens, $0.000001505"


@pytest.mark.parametrize(("starts", "lasts"), [(0, 0), (999.9, 0.1), (0, 1000), (1000, 500)])
def test_bar_stays_on_its_axis(starts, lasts):
    drawn = Bar("x", starts, lasts, "").drawn(1000)

    assert len(drawn) == 32
    assert "█" in drawn
