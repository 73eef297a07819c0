"""Makes alert rules of objectives: an error budget that is used up too fast (ADR 0034)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from eventing.slo.objectives import Objectives

SLOW_RATIO = 0.05
"""What a 95th percentile lets be slower."""

TASKS_MIN = 10
"""Fewer tasks in the longer window say nothing: one failure of three is no trend."""

SCOPE = 'namespace="tollgate"'
ENDED = 'status!="cancelled"'
BAD = 'status=~"failed|partial"'


@dataclass(frozen=True, slots=True)
class Burn:
    """Alert when the budget of 30 days burns `factor` times too fast, long and still."""

    factor: float
    long: str
    short: str
    severity: str


BURNS = (
    Burn(14.4, "1h", "5m", "page"),  # 2 % of the month's budget in an hour
    Burn(6, "6h", "30m", "page"),  # 5 % in six hours
    Burn(1, "3d", "6h", "ticket"),  # 10 % in three days
)
"""The windows of the SRE workbook, chapter 5: the short one ends the alert soon after the cause."""

DEAR = Burn(1, "6h", "1h", "ticket")


def rule_of(objectives: Mapping[str, Objectives]) -> dict[str, Any]:
    """Return the PrometheusRule of all agents' objectives."""
    groups = [{"name": f"tollgate.objectives.{agent}", "rules": list(_rules(agent, one))}
              for agent, one in sorted(objectives.items())]
    return {"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule",
            "metadata": {"name": "objectives", "namespace": "tollgate"},
            "spec": {"groups": groups}}


def _rules(agent: str, wanted: Objectives) -> Iterator[dict[str, Any]]:
    for burn in BURNS:
        most = _most(1 - wanted.success_ratio, burn)
        yield _rule("ObjectiveSuccess", agent, burn,
                    _both(agent, burn, lambda window: failed(agent, window), most))
    for burn in BURNS:
        most = _most(SLOW_RATIO, burn)
        yield _rule("ObjectiveDuration", agent, burn, _both(
            agent, burn, lambda window: slower(agent, wanted.p95_s, window), most))
    yield _rule("ObjectiveCost", agent, DEAR, _both(
        agent, DEAR, lambda window: mean_usd(agent, window), wanted.cost_per_task_usd))


def _most(allowed: float, burn: Burn) -> float:
    """Return the share that burns too fast; a lax objective is missed by half of all, too."""
    return min(allowed * burn.factor, 0.5)


def _both(agent: str, burn: Burn, ratio: Callable[[str], str], most: float) -> str:
    return (f"{ratio(burn.long)} > {most:.6g}\nand {ratio(burn.short)} > {most:.6g}\n"
            f"and {ended(agent, burn.long)} >= {TASKS_MIN}\n")


def ended(agent: str, window: str) -> str:
    """Return how many tasks ended, but for cancelled ones."""
    return _tasks("increase", agent, ENDED, window)


def failed(agent: str, window: str) -> str:
    """Return the share of tasks that did not complete without an error."""
    bad, every = (_tasks("rate", agent, which, window) for which in (BAD, ENDED))
    return f"({bad} / {every})"


def _tasks(function: str, agent: str, which: str, window: str) -> str:
    # Every process of costs shows the same stored count.
    of = f'{{{SCOPE},agent="{agent}",{which}}}[{window}]'
    return f"sum(max by (tenant, status) ({function}(tollgate_tasks_total{of})))"


def slower(agent: str, seconds: float, window: str) -> str:
    """Return the share of tasks that took longer."""
    name, of = "tollgate_task_duration_seconds", f'{SCOPE},agent="{agent}"'
    fast = f'sum(rate({name}_bucket{{{of},le=~"{seconds:g}([.]0)?"}}[{window}]))'
    return f"(1 - {fast} / sum(rate({name}_count{{{of}}}[{window}])))"


def mean_usd(agent: str, window: str) -> str:
    """Return what a task cost in the mean."""
    of = f'{{{SCOPE},agent="{agent}"}}[{window}]'
    return (f"(sum(rate(tollgate_task_cost_nano_usd_total{of})) / 1e9"
            f" / sum(rate(tollgate_task_duration_seconds_count{of})))")


SUMMARIES = {
    "ObjectiveSuccess": "Tasks of {agent} fail {factor} times as often as its aim allows",
    "ObjectiveDuration": "Tasks of {agent} are slow {factor} times as often as its aim allows",
    "ObjectiveCost": "Tasks of {agent} cost more than its aim allows",
}


def _rule(name: str, agent: str, burn: Burn, expression: str) -> dict[str, Any]:
    return {
        "alert": name, "expr": expression,
        "labels": {"severity": burn.severity, "agent": agent, "window": burn.long},
        "annotations": {"summary": SUMMARIES[name].format(agent=agent, factor=f"{burn.factor:g}"),
                        "runbook_url": f"docs/runbooks/{name}.md"}}
