"""Shows to Prometheus what agents cost and how their tasks end: also of agents that are at zero.

They are read from the store, so that no restart resets them and no end of a process between two
scrapes loses any; all processes show the same. Only the distributions of model calls are counted in
this process, as everybody's `gen_ai.*` are: nothing is alerted on them. Labels are bounded: tenants
and agents, never sessions or tasks; beyond a bound all are `other`.
"""

from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Any

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from functions.costs.events.facts import Fact
from functions.costs.events.payload import Data, Model
from functions.costs.store.standing import OTHER, Standing, standing
from functions.costs.store.store import CostStore, Stored
from shared.clock import Clock, now_s
from shared.metric_limits import METRIC_TENANTS_MAX, TASK_BUCKETS_S

disable_created_metrics()  # type: ignore[no-untyped-call]
READ_EVERY_S = 10.0
"""Two Prometheus servers that scrape twice a minute read the store no more often than this."""

MODELS_MAX = 24
TOKEN_BUCKETS = (16, 64, 256, 1024, 4096, 16384, 65536, 262144)
CALL_BUCKETS_S = (0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96)
MODELS = {"llm": "chat", "embedding": "embeddings"}
"""What calls of models are called in OpenTelemetry's conventions."""

FAILED = ("voided", "forfeited")
"""Outcomes of calls without an answer: nothing was used, or nobody knows what."""

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

MODEL_TOKENS = Histogram("gen_ai_client_token_usage", "Tokens of a model call",
                         (*_MODEL, "gen_ai_token_type"), buckets=TOKEN_BUCKETS)
MODEL_SECONDS = Histogram("gen_ai_client_operation_duration_seconds", "Duration of a model call",
                          (*_MODEL, "error_type"), buckets=CALL_BUCKETS_S)
_models: dict[tuple[str, str, str], None] = {}


def count(fact: Fact, outcome: Stored) -> None:
    """Count a call of a model that is new: how long it took, how it failed, how many tokens."""
    if fact.kind != "attributed" or fact.what not in MODELS or outcome is Stored.DUPLICATE:
        return
    model = fact.data.model or Model()
    name = (MODELS[fact.what], model.provider, str(model.selected))
    if name not in _models and len(_models) >= MODELS_MAX:
        name = (MODELS[fact.what], OTHER, OTHER)
    _models[name] = None
    MODEL_TOKENS.labels(*name, "input").observe(fact.amounts.get("input_tokens", 0))
    MODEL_TOKENS.labels(*name, "output").observe(fact.amounts.get("output_tokens", 0))
    lasted_ms = fact.amounts.get("duration_ms") or fact.data.ledger.hold_ms
    MODEL_SECONDS.labels(*name, _error_type(fact.data)).observe(lasted_ms / 1000)


def _error_type(data: Data) -> str:
    """Return of which kind a failure was, one of a few; empty if it was none.

    Whoever settles names an error as it likes: that is `_OTHER`, as the conventions have it.
    """
    if data.outcome in FAILED:
        return str(data.outcome)
    return "_OTHER" if data.result.error_type else ""


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
        yield _counter("tollgate_tasks", "Tasks that ended", (*_LABELS, "status"), found.ends)
        yield from _of_tasks(found)
        yield from _of_numbers(found)


def _of_tasks(found: Standing) -> Iterator[Metric]:
    cost = CounterMetricFamily("tollgate_task_cost_nano_usd", "Cost of tasks that ended",
                               labels=("agent",))
    took = HistogramMetricFamily("tollgate_task_duration_seconds", "From submission to the end",
                                 labels=("agent",))
    for agent, counts in found.tasks.items():
        cost.add_metric((agent,), counts.get("nano", 0))
        names = [*map(str, TASK_BUCKETS_S), "+Inf"]
        below = accumulate(counts.get(f"le:{name}", 0) for name in names)
        took.add_metric((agent,), [(_bound(name), n) for name, n in zip(names, below, strict=True)],
                        counts.get("ms", 0) / 1000)
    yield cost
    yield took


def _bound(name: str) -> str:
    """Return a bucket's bound as the library writes its own."""
    return name if name == "+Inf" else str(float(name))


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
    tenants = found.sequences.items()
    for name, text, label, values in (
        ("tollgate_ledger_events", "Ledger events that are stored", ("kind",),
         {(tenant, kind): n for tenant, of in tenants for kind, n in of.kinds.items()}),
        ("tollgate_ledger_duplicates", "Ledger events that came again", (),
         {(tenant,): of.duplicates for tenant, of in tenants}),
        ("tollgate_thresholds_crossed", "Shares of limits that were reached", ("percent",),
         {(tenant, p): n for tenant, of in tenants for p, n in of.thresholds.items()}),
        ("tollgate_unpriced_answers", "Answers without a price of their own", (),
         {(tenant,): of.unpriced for tenant, of in tenants}),
    ):
        yield _counter(name, text, ("tenant", *label), values)


def _counter(name: str, text: str, labels: tuple[str, ...],
             values: Mapping[Any, int]) -> CounterMetricFamily:
    counter = CounterMetricFamily(name, text, labels=labels)
    for told, value in values.items():
        if all(told[2:]):
            counter.add_metric(told, value)
    return counter
