"""Shows the ledger's condition to Prometheus; each figure is read when it is asked for."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from functions.ledger.condition import Condition, condition
from functions.ledger.stops import KINDS, Stop
from functions.ledger.store import Store
from functions.ledger.switch import Switch
from functions.ledger.tally import Tally
from shared.metric_limits import METRIC_TENANTS_MAX

if TYPE_CHECKING:
    from prometheus_client.core import Metric


def metric_route(store: Store, switch: Switch, tally: Tally) -> Route:
    """Return `GET /metrics`."""

    async def metrics(_: Request) -> Response:
        now = await store.now()
        found = [await condition(store, tenant, now)
                 for tenant in (await store.tenants())[:METRIC_TENANTS_MAX]]
        return _page(found, await switch.every(), tally)

    return Route("/metrics", metrics)


def _page(conditions: Sequence[Condition], stops: Sequence[Stop], tally: Tally) -> Response:
    from prometheus_client import (  # 30 ms: not at a cold start
        CONTENT_TYPE_LATEST,
        REGISTRY,
        CollectorRegistry,
        generate_latest,
    )

    registry = CollectorRegistry()
    registry.register(_Collected([
        *_of_tenants(conditions), _of_stops(stops), _of_refusals(tally)]))
    body = generate_latest(REGISTRY) + generate_latest(registry)
    return Response(body, media_type=CONTENT_TYPE_LATEST)


class _Collected:
    """Hands figures that are read already to the library."""

    def __init__(self, metrics: "Sequence[Metric]") -> None:
        self._metrics = metrics

    def collect(self) -> "Iterator[Metric]":
        """Yield them."""
        yield from self._metrics


def _of_tenants(conditions: Sequence[Condition]) -> "Iterator[Metric]":
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    ended = CounterMetricFamily("tollgate_reservations", "Reservations that ended or were denied",
                                labels=("tenant", "state"))
    for one in conditions:
        for state, count in one.ended.items():
            ended.add_metric((one.tenant, state.lower()), count)
    yield ended
    for name, text, field in (
        ("tollgate_reservations_open", "Reservations that hold money", "open"),
        ("tollgate_reservations_overdue_seconds", "Age of the oldest lapsed lease", "overdue_s"),
        ("tollgate_outbox_events", "Events that the broker has not accepted", "unpublished"),
        ("tollgate_outbox_lag_seconds", "Age of the oldest of them", "unpublished_s"),
    ):
        gauge = GaugeMetricFamily(name, text, labels=("tenant",))
        for one in conditions:
            gauge.add_metric((one.tenant,), getattr(one, field))
        yield gauge


def _of_stops(stops: Sequence[Stop]) -> "Metric":
    from prometheus_client.core import GaugeMetricFamily

    gauge = GaugeMetricFamily("tollgate_stops", "What is stopped now", labels=("kind",))
    for kind in KINDS:
        gauge.add_metric((kind,), sum(stop.kind == kind for stop in stops))
    return gauge


def _of_refusals(tally: Tally) -> "Metric":
    from prometheus_client.core import CounterMetricFamily

    counter = CounterMetricFamily("tollgate_reserves_refused", "Reserves that this process refused",
                                  labels=("tenant", "reason"))
    for (tenant, reason), count in sorted(tally.refused.items()):
        counter.add_metric((tenant, reason), count)
    return counter
