"""Reads what the store holds of all time, for the figures that a scrape shows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from functions.costs.dimensions import MEASURES
from functions.costs.question import Question
from functions.costs.report import Sums
from functions.costs.store import CostStore

SETS_MAX = 600
"""Pairs of tenant and agent with figures of their own: all series stay below 20 000."""

OTHER = "other"
"""Stands for everything beyond a bound."""

_ALL = Question(("agent", "outcome", "reason"), measures=tuple(MEASURES))
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Numbers:
    """How complete one tenant's events are."""

    missing: int
    conflicts: int
    events: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything that is stored, at one moment."""

    sums: Mapping[Pair, Sums]
    """By tenant and agent."""
    outcomes: Mapping[tuple[str, str, str], int]
    """Invocations by tenant, agent and outcome."""
    denials: Mapping[tuple[str, str, str], int]
    """By tenant, agent and reason."""
    sequences: Mapping[str, Numbers]
    """By tenant."""


async def standing(store: CostStore, tenants: Sequence[str]) -> Standing:
    """Return what is stored of these tenants.

    Raises:
        Unavailable: Redis is away.
    """
    sums: dict[Pair, Sums] = defaultdict(Sums)
    outcomes: dict[tuple[str, str, str], int] = defaultdict(int)
    denials: dict[tuple[str, str, str], int] = defaultdict(int)
    for tenant in tenants:
        for row in await store.rows(tenant, _ALL):
            pair = bounded((tenant, row.of["agent"] or ""), sums)
            sums[pair] += row.sums
            outcomes[*pair, row.of["outcome"] or ""] += row.sums.invocations
            denials[*pair, row.of["reason"] or ""] += row.sums.measure("denials")
    sequences = {tenant: await _sequence(store, tenant) for tenant in tenants}
    return Standing(sums, outcomes, denials, sequences)


def bounded(pair: Pair, known: Mapping[Pair, object]) -> Pair:
    """Return the pair, or what stands for all others once there are `SETS_MAX`."""
    return pair if pair in known or len(known) < SETS_MAX else (OTHER, OTHER)


async def _sequence(store: CostStore, tenant: str) -> Numbers:
    counts = await store.counts(tenant)
    missing = sum(check.missing_count for check in await store.checks(tenant))
    return Numbers(missing, counts["conflicts"], counts["events"])
