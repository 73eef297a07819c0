"""Shows rollouts: lines for people, one JSON object for programs."""

from typing import Any

from eventing.cli import show
from shared.clock import rfc3339
from shared.rollouts import traffic
from shared.rollouts.plan import ArmFigures, Phase, Rollout

ADVICE = {
    "pass": "it may go on: tollgate rollout promote {name}",
    "insufficient": "decide: tollgate rollout promote {name}, or tollgate rollout abort {name}",
}


def document(service: dict[str, Any], rollout: Rollout) -> dict[str, Any]:
    """Return all that is known, for programs."""
    ends = rollout.ends_at
    return {
        "function": service["metadata"]["name"], "namespace": service["metadata"]["namespace"],
        **rollout.model_dump(mode="json"), "traffic": traffic.shares(service),
        "ends_at": rfc3339(ends) if ends and rollout.phase.active else None}


def status(service: dict[str, Any], rollout: Rollout) -> None:
    """Print one rollout."""
    name, figures = service["metadata"]["name"], rollout.figures
    show.line(f"{name}: {rollout.phase}, verdict {rollout.verdict}"
              + (f" – {rollout.reason}" if rollout.reason else ""), style="bold")
    held = traffic.shares(service)
    heads = ("", "revision", "traffic #", "samples #", "failures #", "USD per success #",
             "p95 s #")
    show.table("", heads, [
        ("stable", rollout.stable, f"{held.get(rollout.stable, 0)} %", *_cells(figures.stable)),
        ("candidate", rollout.candidate or "…", f"{held.get(rollout.candidate, 0)} %",
         *_cells(figures.candidate))])
    if rollout.phase is Phase.RUNNING:
        _outlook(name, rollout)


def _outlook(name: str, rollout: Rollout) -> None:
    bounds = rollout.bounds
    show.line(f"at least {bounds.min_samples} samples each, until {rfc3339(rollout.ends_at or 0)}; "
              f"then {bounds.if_insufficient} if they are insufficient"
              + ("; promoted by itself" if bounds.auto_promote else ""))
    if advice := ADVICE.get(rollout.verdict):
        show.line(advice.format(name=name))


def _cells(arm: ArmFigures) -> tuple[Any, ...]:
    cost = arm.cost_per_success_nano
    return (arm.samples, arm.failures, "–" if cost is None else show.usd(cost),
            "–" if arm.p95_s is None else f"{arm.p95_s:.2f}")


def listing(found: list[tuple[dict[str, Any], Rollout]]) -> None:
    """Print a line for each function that has a rollout."""
    heads = ("function", "phase", "verdict", "stable", "candidate", "share #", "age")
    show.table("", heads, [
        (service["metadata"]["name"], rollout.phase, rollout.verdict, rollout.stable,
         rollout.candidate, f"{traffic.shares(service).get(rollout.candidate, 0)} %",
         show.age(rfc3339(rollout.created_at))) for service, rollout in found],
        none="no function has a rollout")
