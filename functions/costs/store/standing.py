"""Reads what the store holds of all time, for the figures that a scrape shows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from functions.costs import keys
from functions.costs.events.facts import KINDS, UNPRICED
from functions.costs.questions.dimensions import MEASURES
from functions.costs.questions.question import Question
from functions.costs.questions.rows import Sums
from functions.costs.store.ends import ENDS
from functions.costs.store.store import CostStore
from shared.store import mapped

SETS_MAX = 600
"""Pairs of tenant and agent with figures of their own: all series stay below 20 000."""

AGENTS_MAX = 100
"""Agents with durations of their own: each has a dozen and a half of figures."""

PERCENTS = ("50", "80", "90", "100")
"""Shares of limits that are told apart: those of a limit that names none itself."""

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
    duplicates: int = 0
    unpriced: int = 0
    """Answers of a model without a price of its own, or with a tool that has none."""
    thresholds: Mapping[str, int] = field(default_factory=dict)
    """By percent."""
    kinds: Mapping[str, int] = field(default_factory=dict)
    """Events by what they say."""


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
    ends: Mapping[tuple[str, str, str], int]
    """Tasks that ended, by tenant, agent and how."""
    tasks: Mapping[str, Mapping[str, int]]
    """By agent, what `Ends.ever` says beside that: `nano`, `ms`, `le:<seconds>`."""


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
    sequences = {tenant: await _numbers(store, tenant) for tenant in tenants}
    ended = {tenant: await store.ends.ever(tenant) for tenant in tenants}
    return Standing(sums, outcomes, denials, sequences, _ends(ended, sums), _tasks(ended))


def _ends(ended: Mapping[str, Mapping[str, Mapping[str, int]]],
          sums: Mapping[Pair, Sums]) -> dict[tuple[str, str, str], int]:
    """Return how tasks ended; 0 is said, too: an increase from nothing is seen by nobody."""
    found = {(*pair, end): 0 for pair in sums for end in ENDS}
    pairs: dict[Pair, object] = dict(sums)
    for tenant, agents in ended.items():
        for agent, counts in agents.items():
            pair = bounded((tenant, agent), pairs)
            pairs[pair] = None
            for end in ENDS:
                found[*pair, end] = found.get((*pair, end), 0) + counts.get(end, 0)
    return found


def _tasks(ended: Mapping[str, Mapping[str, Mapping[str, int]]]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for agent, counts in (one for agents in ended.values() for one in agents.items()):
        sums = found.setdefault(
            agent if agent in found or len(found) < AGENTS_MAX else OTHER, defaultdict(int))
        for name in counts.keys() - ENDS:
            sums[name] += counts[name]
    return found


def bounded(pair: Pair, known: Mapping[Pair, object]) -> Pair:
    """Return the pair, or what stands for all others once there are `SETS_MAX`."""
    return pair if pair in known or len(known) < SETS_MAX else (OTHER, OTHER)


async def _numbers(store: CostStore, tenant: str) -> Numbers:
    counts = await store.counts(tenant)
    missing = sum(check.missing_count for check in await store.checks(tenant))
    kinds = await _kinds(store, tenant)
    thresholds = dict.fromkeys((*PERCENTS, OTHER), 0)
    for name, count in counts.items():
        what, _, percent = name.partition(":")
        if what == "threshold":
            thresholds[percent if percent in PERCENTS else OTHER] += count
    return Numbers(
        missing, counts["conflicts"], counts["events"], unpriced=counts.get(UNPRICED, 0),
        duplicates=sum(n for name, n in counts.items() if name.startswith("duplicates:")),
        thresholds=thresholds,
        kinds={"attributed": counts["events"] - sum(kinds.values()), **kinds})


async def _kinds(store: CostStore, tenant: str) -> dict[str, int]:
    """Return how many events are of each kind but `attributed`, of which no list is kept."""
    listed = [kind for kind in KINDS.values() if kind != "attributed"]
    with mapped():
        async with store.redis.pipeline(transaction=False) as pipe:
            for kind in listed:
                pipe.llen(keys.kind(tenant, kind))
            return dict(zip(listed, await pipe.execute(), strict=True))
