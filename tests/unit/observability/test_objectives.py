"""Objectives become burn-rate alerts; what cannot be watched is refused by name."""

import pytest

from eventing.slo import __main__ as command
from eventing.slo.objectives import ObjectiveError, Objectives, read_all
from eventing.slo.rules import BURNS, rule_of

GOOD = {"success_ratio": 0.99, "p95_s": 60, "cost_per_task_usd": 0.05}


def rules(**changes):
    [group] = rule_of({"writer": Objectives(**GOOD | changes)})["spec"]["groups"]
    return group["rules"]


def of(name, **changes):
    return [rule for rule in rules(**changes) if rule["alert"] == name]


def test_published_rules_and_dashboards_are_what_the_agents_say():
    stale = [str(path) for path, text in command.files()
             if (command.COMPONENT / path).read_text() != text]

    assert stale == [], "run make objectives"


def test_each_objective_burns_over_two_windows_at_once():
    for name in ("ObjectiveSuccess", "ObjectiveDuration"):
        for rule, burn in zip(of(name), BURNS, strict=True):
            assert f"[{burn.long}]" in rule["expr"]
            assert f"[{burn.short}]" in rule["expr"]
            assert rule["labels"]["severity"] == burn.severity


@pytest.mark.parametrize(("ratio", "limits"), [
    (0.99, ["0.144", "0.06", "0.01"]), (0.999, ["0.0144", "0.006", "0.001"]),
    (0.9, ["0.5", "0.5", "0.1"])])
def test_limit_is_the_error_budget_times_the_factor(ratio, limits):
    found = [rule["expr"].split("> ")[1].split("\n")[0] for rule in of("ObjectiveSuccess",
                                                                      success_ratio=ratio)]

    assert found == limits


def test_slow_is_above_the_bucket_of_the_objective():
    assert 'le=~"30([.]0)?"' in of("ObjectiveDuration", p95_s=30)[0]["expr"]


def test_cost_is_compared_with_the_mean_in_usd():
    [rule] = of("ObjectiveCost", cost_per_task_usd=0.2)

    assert "> 0.2\n" in rule["expr"]


@pytest.mark.parametrize(("text", "says"), [
    ("slo: {success_ratio: 1, p95_s: 60, cost_per_task_usd: 1}", "slo.success_ratio"),
    ("slo: {success_ratio: 0.9, p95_s: 61, cost_per_task_usd: 1}", "slo.p95_s: Value error, dur"),
    ("slo: {success_ratio: 0.9, p95_s: 60}", "slo.cost_per_task_usd: Field required"),
    ("slo: {success_ratio: 0.9, p95_s: 60, cost_per_task_usd: 1, p99_s: 3}", "slo.p99_s"),
    ("slo: [", "agent.yaml"), ("- slo", "agent.yaml")],
    ids=["no-budget", "not-counted", "missing", "unknown", "no-yaml", "no-mapping"])
def test_objective_that_cannot_be_watched_is_named_with_file_and_field(tmp_path, text, says):
    (tmp_path / "writer").mkdir()
    (tmp_path / "writer" / "agent.yaml").write_text(text)

    with pytest.raises(ObjectiveError, match=r"writer/agent\.yaml") as error:
        read_all(tmp_path)

    assert says in str(error.value)


def test_agent_without_objectives_has_no_rules(tmp_path):
    (tmp_path / "writer").mkdir()
    (tmp_path / "writer" / "agent.yaml").write_text("name: writer\n")

    assert read_all(tmp_path) == {}
