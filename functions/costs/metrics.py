"""Shows what agents cost to Prometheus: the stored sums, so that a restart resets nothing."""

from prometheus_client import Counter, Gauge

from functions.costs.facts import Fact
from functions.costs.report import Sums
from functions.costs.store import CostStore, Stored

LABEL_SETS_MAX = 2_000
"""More agents than this, over all tenants, are not shown: each takes memory here and there."""

_LABELS = ("tenant", "agent")
COST = Gauge("tollgate_cost_nano_usd", "Cost of all time in nano-USD", _LABELS)
INVOCATIONS = Gauge("tollgate_invocations", "Invocations of all time", _LABELS)
TOKENS = Gauge("tollgate_tokens", "Tokens of all time, in and out", _LABELS)
EVENTS = Counter("tollgate_ledger_events", "Ledger events that came here",
                 ("tenant", "kind", "outcome"))
_shown: set[tuple[str, str]] = set()


async def load(store: CostStore) -> None:
    """Show the sums that are stored: of functions that are at zero, too."""
    for tenant in await store.tenants():
        for agent, sums in (await store.totals(tenant)).items():
            show(tenant, agent, sums)


def show(tenant: str, agent: str, sums: Sums) -> None:
    """Show an agent's sums of all time."""
    if (tenant, agent) not in _shown and len(_shown) >= LABEL_SETS_MAX:
        return
    _shown.add((tenant, agent))
    COST.labels(tenant, agent).set(sums.cost_nano)
    INVOCATIONS.labels(tenant, agent).set(sums.invocations)
    TOKENS.labels(tenant, agent).set(sums.tokens)


def count(fact: Fact, outcome: Stored, sums: Sums | None) -> None:
    """Count a delivery, and show what it changed."""
    EVENTS.labels(fact.tenant, fact.kind, outcome).inc()
    if sums is not None:
        show(fact.tenant, fact.agent, sums)
