"""Shows to Prometheus what agents cost and how their tasks end: also of agents that are at zero.

Sums are read from the store, so that a restart resets nothing. What comes by events alone is
counted in this process, from 0 for everything that is known at its start. Labels are bounded:
tenants and agents, never sessions or tasks; beyond a bound all are `other`.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from eventing.event import Event
from eventing.types import TaskCompleted
from functions.costs.facts import Fact
from functions.costs.standing import OTHER, Standing, bounded, standing
from functions.costs.store import CostStore, Stored
from shared.clock import Clock, now_s
from shared.metric_limits import METRIC_TENANTS_MAX, TASK_BUCKETS_S
from shared.tasks.contract import NANO, AgentResult, Status
from shared.usage import UNPRICED as UNPRICED_TOOL

disable_created_metrics()  # type: ignore[no-untyped-call]
READ_EVERY_S = 10.0
"""Two Prometheus servers that scrape twice a minute read the store no more often than this."""

AGENTS_MAX, MODELS_MAX = 100, 40
TOKEN_BUCKETS = (16, 64, 256, 1024, 4096, 16384, 65536, 262144)
CALL_BUCKETS_S = (0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96)
PERCENTS = ("50", "80", "90", "100")

_LABELS = ("tenant", "agent")
_MODEL = ("gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model")
GAUGES = (
    ("tollgate_cost_nano_usd", "Cost of all time in nano-USD", "cost_nano"),
    ("tollgate_invocations", "Invocations of all time", "invocations"),
    ("tollgate_tokens", "Tokens of all time, in and out", "tokens"),
)
COUNTERS = (
    ("tollgate_cold_starts", "Invocations by a process just started", "cold_starts"),
    ("tollgate_invocation_failures", "Invocations that failed or were forfeited", "failures"),
    ("tollgate_overrun_nano_usd", "Cost above the reservation", "overrun_nano"),
    ("tollgate_unreserved_nano_usd", "Cost that nothing was reserved for", "unreserved_nano"),
    ("tollgate_retried_nano_usd", "Cost of second and third attempts", "retried_nano"),
    ("tollgate_invocation_milliseconds", "Time that invocations took", "duration_ms"),
)
"""Name, help, measure. All of them only grow, up to rare corrections of what they cost."""

EVENTS = Counter("tollgate_ledger_events", "Ledger events that came here",
                 ("tenant", "kind", "outcome"))
THRESHOLDS = Counter("tollgate_thresholds_crossed", "Shares of limits that were reached",
                     ("tenant", "percent"))
UNPRICED = Counter("tollgate_unpriced_answers", "Answers of a model without a price of its own",
                   ("tenant",))
TASKS = Counter("tollgate_tasks", "Tasks that ended", (*_LABELS, "status"))
TASK_COST = Counter("tollgate_task_cost_nano_usd", "Cost of tasks that ended", ("agent",))
TASK_SECONDS = Histogram("tollgate_task_duration_seconds", "From submission to the end",
                         ("agent",), buckets=TASK_BUCKETS_S)
MODEL_TOKENS = Histogram("gen_ai_client_token_usage", "Tokens of a model call",
                         (*_MODEL, "gen_ai_token_type"), buckets=TOKEN_BUCKETS)
MODEL_SECONDS = Histogram("gen_ai_client_operation_duration_seconds", "Duration of a model call",
                          _MODEL, buckets=CALL_BUCKETS_S)
ENDS = ("completed", "partial", "failed", "cancelled")
"""`partial`: completed with an error, as over budget or at the last step."""

_pairs: dict[tuple[str, str], None] = {}
_agents: dict[str, None] = {}
_models: dict[tuple[str, str, str], None] = {}
_tenants: dict[str, None] = {}


async def load(store: CostStore) -> None:
    """Begin all counters of what is known at 0: an increase from nothing is seen by nobody."""
    for tenant in await store.tenants():
        begin(_tenant(tenant))
        for agent in await store.totals(tenant):
            _begin_tasks(*_pair(tenant, agent))


@cache
def begin(tenant: str) -> None:
    """Show a tenant's counters, whatever they are at."""
    UNPRICED.labels(tenant)
    for percent in (*PERCENTS, OTHER):
        THRESHOLDS.labels(tenant, percent)


def _begin_tasks(tenant: str, agent: str) -> None:
    for end in ENDS:
        TASKS.labels(tenant, agent, end)
    TASK_SECONDS.labels(_agent(agent))
    TASK_COST.labels(_agent(agent))


def count(event: Event, fact: Fact, outcome: Stored) -> None:
    """Count a delivery, and what a new event says beyond the store's sums."""
    tenant = _tenant(fact.tenant)
    EVENTS.labels(tenant, fact.kind, outcome).inc()
    if outcome is Stored.DUPLICATE:
        return
    begin(tenant)
    match fact.kind:
        case "threshold":
            percent = str(event.json().get("percent"))
            THRESHOLDS.labels(tenant, percent if percent in PERCENTS else OTHER).inc()
        case "attributed" if fact.what == "llm":
            _count_model(event.json(), fact, tenant)


def _count_model(data: dict[str, dict[str, object]], fact: Fact, tenant: str) -> None:
    model = data["model"]
    operation = "embeddings" if fact.what == "embedding" else "chat"
    name = (operation, str(model.get("provider")), str(model.get("selected")))
    if name not in _models and len(_models) >= MODELS_MAX:
        name = (operation, OTHER, OTHER)
    _models[name] = None
    MODEL_TOKENS.labels(*name, "input").observe(fact.amounts.get("input_tokens", 0))
    MODEL_TOKENS.labels(*name, "output").observe(fact.amounts.get("output_tokens", 0))
    MODEL_SECONDS.labels(*name).observe(fact.amounts.get("duration_ms", 0) / 1000)
    is_as_asked = model.get("response") and data["cost"].get("price_basis") == "requested"
    if is_as_asked or _has_unpriced_tool(data["cost"].get("lines")):
        UNPRICED.labels(tenant).inc()


def _has_unpriced_tool(lines: object) -> bool:
    return isinstance(lines, list) and any(
        str(line.get("meter")).startswith(UNPRICED_TOOL) for line in lines)


def count_end(event: Event) -> None:
    """Count a task by the event of its end; one that comes again is counted again, which is rare.

    Raises:
        ValidationError: the event has no outcome of a task.
    """
    result = TaskCompleted.model_validate_json(event.data or b"").result
    count_task(event.get("tenantid") or "", event.get("agent") or "", result)


def count_task(tenant: str, agent: str, result: AgentResult) -> None:
    """Count a task that ended."""
    tenant, agent = _pair(tenant, agent)
    _begin_tasks(tenant, agent)
    partial = result.status is Status.COMPLETED and result.error
    TASKS.labels(tenant, agent, "partial" if partial else result.status).inc()
    TASK_SECONDS.labels(_agent(agent)).observe(result.duration_ms / 1000)
    TASK_COST.labels(_agent(agent)).inc(int(Decimal(result.cost_usd) * NANO))


def _tenant(tenant: str) -> str:
    if tenant not in _tenants and len(_tenants) >= METRIC_TENANTS_MAX:
        return OTHER
    _tenants[tenant] = None
    return tenant


def _pair(tenant: str, agent: str) -> tuple[str, str]:
    pair = bounded((tenant, agent), _pairs)
    _pairs[pair] = None
    return pair


def _agent(agent: str) -> str:
    if agent not in _agents and len(_agents) >= AGENTS_MAX:
        return OTHER
    _agents[agent] = None
    return agent


def metric_route(store: CostStore, clock: Clock = now_s) -> Route:
    """Return `GET /metrics`; the store is read every `READ_EVERY_S` at most."""
    shown = _Shown(store, clock)

    async def metrics(_: Request) -> Response:
        body = generate_latest(REGISTRY) + generate_latest(_Once(await shown()))
        return Response(body, media_type=CONTENT_TYPE_LATEST)

    return Route("/metrics", metrics)


class _Shown:
    """What is stored, as it was read last."""

    def __init__(self, store: CostStore, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._read: tuple[float, Standing] | None = None

    async def __call__(self) -> Standing:
        """Return it, read again if it is old."""
        now = self._clock()
        if self._read is None or now - self._read[0] >= READ_EVERY_S:
            tenants = (await self._store.tenants())[:METRIC_TENANTS_MAX]
            self._read = now, await standing(self._store, tenants)
        return self._read[1]


class _Once:
    """Hands stored figures to the library, as a registry does."""

    def __init__(self, found: Standing) -> None:
        self._found = found

    def collect(self) -> Iterator[Metric]:
        """Yield every stored figure."""
        found = self._found
        for name, text, measure in GAUGES:
            gauge = GaugeMetricFamily(name, text, labels=_LABELS)
            for pair, sums in found.sums.items():
                gauge.add_metric(pair, sums.measure(measure))
            yield gauge
        for name, text, measure in COUNTERS:
            yield _counter(name, text, _LABELS, {
                pair: sums.measure(measure) for pair, sums in found.sums.items()})
        yield _counter("tollgate_invocations_ended", "Invocations by how they ended",
                       (*_LABELS, "outcome"), found.outcomes)
        yield _counter("tollgate_denials", "Denials that were final", (*_LABELS, "reason"),
                       found.denials)
        yield from _of_numbers(found)


def _of_numbers(found: Standing) -> Iterator[Metric]:
    for name, text, field in (
        ("tollgate_sequence_missing", "Numbers of ledger events that did not come", "missing"),
        ("tollgate_sequence_conflicts", "Numbers that came with two events", "conflicts"),
        ("tollgate_sequence_events", "Ledger events that are stored", "events"),
    ):
        gauge = GaugeMetricFamily(name, text, labels=("tenant",))
        for tenant, numbers in found.sequences.items():
            gauge.add_metric((tenant,), getattr(numbers, field))
        yield gauge


def _counter(name: str, text: str, labels: tuple[str, ...],
             values: Mapping[Any, int]) -> CounterMetricFamily:
    counter = CounterMetricFamily(name, text, labels=labels)
    for told, value in values.items():
        if all(told[2:]):
            counter.add_metric(told, value)
    return counter
