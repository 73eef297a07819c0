"""Foretells what a task will cost, from how the agent's last tasks went and from its limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from eventing.cli.exits import Exit, Failure, of_problem
from shared import limits

if TYPE_CHECKING:
    from eventing.cli.remote import Remote

TASKS_MIN = 10
"""Fewer ended tasks say nothing of the next one: nine values have no tenth."""

LOW, MIDDLE, HIGH = 0.1, 0.5, 0.9


@dataclass(frozen=True, slots=True)
class Range:
    """Where eight of ten tasks lie, and the one in the middle."""

    low: Decimal
    middle: Decimal
    high: Decimal

    def capped(self, most: Decimal) -> "Range":
        """Return the range below a limit that holds whatever happened before."""
        return Range(min(self.low, most), min(self.middle, most), min(self.high, most))


@dataclass(frozen=True, slots=True)
class Estimate:
    """What one task may cost."""

    agent: str
    tasks: int
    """Ended tasks that it is drawn from."""
    cost_max_usd: Decimal
    tokens_max: int
    steps_max: int
    cost_usd: Range | None
    """`None`: not enough data."""
    tokens: Range | None
    steps: Range | None

    def json(self) -> dict[str, Any]:
        """Return it for programs; amounts are decimal texts."""
        ranges = {name: None if found is None else {
            "p10": str(found.low), "p50": str(found.middle), "p90": str(found.high)}
            for name, found in (("cost_usd", self.cost_usd), ("tokens", self.tokens),
                                ("steps", self.steps))}
        return {"agent": self.agent, "tasks": self.tasks, "enough_data": self.cost_usd is not None,
                **ranges, "cost_max_usd": str(self.cost_max_usd), "tokens_max": self.tokens_max,
                "steps_max": self.steps_max}


def check(asked: Mapping[str, Any]) -> None:
    """Return if the gateway would take the request.

    Raises:
        Failure: it would not, as its own answer says it.
    """
    from pydantic import ValidationError  # slow to import, and only an estimate needs it

    from eventing.problems import invalid
    from shared.tasks.contract import TaskRequest

    try:
        TaskRequest.model_validate(asked)
    except ValidationError as error:
        refused = invalid(error)
        raise of_problem(refused.status, {"detail": refused.detail, **refused.extra},
                         "the request") from error


def ended(remote: "Remote", agent: str) -> list[dict[str, Any]]:
    """Return the agent's last tasks that ran to an end.

    Raises:
        Failure: there is no such agent.
    """
    names = [one["name"] for one in remote.ask("GET", "gateway", "/agents")["agents"]]
    if agent not in names:
        raise Failure(Exit.USAGE, f"there is no agent {agent!r}; there are: "
                                  f"{', '.join(names) or 'none'}")
    tasks = remote.ask("GET", "gateway", "/tasks", params={
        "agent": agent, "limit": limits.LIST_PAGE_MAX})["tasks"]
    return [task for task in tasks if task["status"] in ("completed", "failed")]


def estimate(asked: Mapping[str, Any], ended: Sequence[Mapping[str, Any]]) -> Estimate:
    """Return what a request will cost, from the agent's tasks that ran to an end.

    The maxima are the request's own limits: a task never passes them.
    """
    cost = asked.get("cost_budget_usd")
    most = limits.TASK_COST_DEFAULT_USD if cost is None else Decimal(cost)
    tokens_max = asked.get("token_budget") or limits.TOKENS_DEFAULT
    steps_max = asked.get("max_steps") or limits.STEPS_DEFAULT
    enough = len(ended) >= TASKS_MIN

    def over(field: str, bound: Decimal | int) -> Range | None:
        values = sorted(Decimal(str(task[field])) for task in ended)
        return spread(values).capped(Decimal(bound)) if enough else None

    return Estimate(asked["agent"], len(ended), Decimal(most), tokens_max, steps_max,
                    over("cost_usd", Decimal(most)), over("tokens_used", tokens_max),
                    over("steps_used", steps_max))


def spread(values: Sequence[Decimal]) -> Range:
    """Return the range of sorted values; each quantile is one that was seen (nearest rank)."""
    at = [values[max(0, -(-int(q * 100) * len(values) // 100) - 1)] for q in (LOW, MIDDLE, HIGH)]
    return Range(*at)


def lines(found: Estimate) -> list[str]:
    """Return it for people."""
    most = (f"at most ${found.cost_max_usd:f}, {found.tokens_max} tokens, "
            f"{found.steps_max} steps: its limits")
    if found.cost_usd is None or found.tokens is None or found.steps is None:
        return [f"{found.agent}: not enough data: {found.tasks} ended tasks, "
                f"{TASKS_MIN} are needed", most]
    cost, tokens, steps = found.cost_usd, found.tokens, found.steps
    return [
        f"{found.agent}, from its last {found.tasks} tasks; eight of ten lie in the range",
        f"cost    ${cost.low:f} to ${cost.high:f}, in the middle ${cost.middle:f}",
        f"tokens  {tokens.low} to {tokens.high}, in the middle {tokens.middle}",
        f"steps   {steps.low} to {steps.high}, in the middle {steps.middle}", most]
