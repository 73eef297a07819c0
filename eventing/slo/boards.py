"""Makes Grafana's dashboards, of panels that are one line each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

SOURCE = {"type": "prometheus", "uid": "${source}"}
ROWS_HIGH, ACROSS = 8, 12
NS = 'namespace="$namespace"'
TENANT = f'{NS},tenant=~"$tenant"'
AGENT = f'{TENANT},agent=~"$agent"'


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart: its lines by legend, and their unit."""

    title: str
    unit: str
    lines: Sequence[tuple[str, str]]
    """Expression and legend."""
    kind: str = "timeseries"


def _nano(metric: str, by: str, function: str = "rate", window: str = "1h") -> str:
    """Return USD per hour of a sum in nano-USD; processes that show the same are one."""
    of = f"{metric}{{{AGENT}}}[{window}]"
    return f"sum by ({by}) (max by (tenant, agent) ({function}({of}))) * 3600 / 1e9"


def _every(metric: str, by: str, labels: str = AGENT) -> str:
    """Return how much a stored count grew; processes that show the same are one."""
    grown = f"increase({metric}{{{labels}}}[5m])"
    return f"sum by ({by}) (max without (pod, instance, container) ({grown}))"


SPENDING = (
    Panel("Spend per hour by tenant", "currencyUSD", (
        (_nano("tollgate_cost_nano_usd", "tenant", "deriv"), "{{tenant}}"),)),
    Panel("Spend per hour by agent", "currencyUSD", (
        (_nano("tollgate_cost_nano_usd", "agent", "deriv"), "{{agent}}"),)),
    Panel("Denials by reason", "short", (
        (_every("tollgate_reserves_refused_total", "reason", TENANT), "{{reason}}"),)),
    Panel("Thresholds crossed", "short", (
        (_every("tollgate_thresholds_crossed_total", "tenant, percent", TENANT),
         "{{tenant}} {{percent}} %"),)),
    Panel("Cost above reservations, per hour", "currencyUSD", (
        (_nano("tollgate_overrun_nano_usd_total", "tenant"), "overrun {{tenant}}"),
        (_nano("tollgate_unreserved_nano_usd_total", "tenant"), "unreserved {{tenant}}"))),
    Panel("Cost of repeated attempts, per hour", "currencyUSD", (
        (_nano("tollgate_retried_nano_usd_total", "agent"), "{{agent}}"),)),
)

LEDGER = (
    Panel("Reservations by how they end", "short", (
        (_every("tollgate_reservations_total", "state", TENANT), "{{state}}"),)),
    Panel("Open reservations", "short", (
        (f"max by (tenant) (tollgate_reservations_open{{{TENANT}}})", "{{tenant}}"),)),
    Panel("Outbox: age of the oldest event", "s", (
        (f"max by (tenant) (tollgate_outbox_lag_seconds{{{TENANT}}})", "{{tenant}}"),)),
    Panel("Outbox: events that wait", "short", (
        (f"max by (tenant) (tollgate_outbox_events{{{TENANT}}})", "{{tenant}}"),)),
    Panel("Events that did not come to costs", "short", (
        (f"max by (tenant) (tollgate_sequence_missing{{{TENANT}}})", "missing {{tenant}}"),
        (f"max by (tenant) (tollgate_sequence_conflicts{{{TENANT}}})", "twice {{tenant}}"))),
    Panel("Oldest lapsed lease", "s", (
        (f"max by (tenant) (tollgate_reservations_overdue_seconds{{{TENANT}}})", "{{tenant}}"),)),
    Panel("What is stopped", "short", (
        (f"max by (kind) (tollgate_stops{{{NS}}})", "{{kind}}"),), kind="stat"),
    Panel("Answers without a price of their own", "short", (
        (_every("tollgate_unpriced_answers_total", "tenant", TENANT), "{{tenant}}"),)),
)

AGENTS = (
    Panel("Tasks by how they end", "short", (
        (_every("tollgate_tasks_total", "status"), "{{status}}"),)),
    Panel("Duration of tasks", "s", tuple(
        (f'histogram_quantile({q}, sum by (agent, le) (rate(tollgate_task_duration_seconds_bucket{{'
         f'{NS},agent=~"$agent"}}[30m])))', f"p{q * 100:g} {{{{agent}}}}") for q in (0.5, 0.95))),
    Panel("Cost of a task", "currencyUSD", (
        (f'sum by (agent) (rate(tollgate_task_cost_nano_usd_total{{{NS},agent=~"$agent"}}[1h]))'
         f' / sum by (agent) (rate(tollgate_task_duration_seconds_count{{{NS},agent=~"$agent"}}'
         f"[1h])) / 1e9", "{{agent}}"),)),
    Panel("Cold starts", "short", ((_every("tollgate_cold_starts_total", "agent"), "{{agent}}"),)),
    Panel("Failed invocations", "short", (
        (_every("tollgate_invocation_failures_total", "agent"), "{{agent}}"),)),
    Panel("Invocations by how they ended", "short", (
        (_every("tollgate_invocations_ended_total", "outcome"), "{{outcome}}"),)),
    Panel("Duration of model calls, p95", "s", (
        ("histogram_quantile(0.95, sum by (gen_ai_request_model, le) (rate("
         f"gen_ai_client_operation_duration_seconds_bucket{{{NS}}}[30m])))",
         "{{gen_ai_request_model}}"),)),
    Panel("Tokens per second", "short", (
        ("sum by (gen_ai_request_model, gen_ai_token_type) (rate("
         f"gen_ai_client_token_usage_sum{{{NS}}}[5m]))",
         "{{gen_ai_request_model}} {{gen_ai_token_type}}"),)),
)

BOARDS = {"spending": ("Tollgate: spending", SPENDING), "ledger": ("Tollgate: ledger", LEDGER),
          "agents": ("Tollgate: agents", AGENTS)}


def board(name: str) -> dict[str, Any]:
    """Return a dashboard as Grafana imports it (schema 39: Grafana 10 and later)."""
    title, panels = BOARDS[name]
    return {
        "uid": f"tollgate-{name}", "title": title, "tags": ["tollgate"], "schemaVersion": 39,
        "version": 1, "editable": False, "refresh": "30s", "timezone": "browser",
        "time": {"from": "now-6h", "to": "now"}, "templating": {"list": _variables()},
        "panels": [_panel(number, one) for number, one in enumerate(panels)]}


def _variables() -> list[dict[str, Any]]:
    return [
        {"name": "source", "type": "datasource", "query": "prometheus", "label": "Prometheus"},
        {"name": "namespace", "type": "textbox", "label": "Namespace", "query": "tollgate",
         "current": {"text": "tollgate", "value": "tollgate"}},
        *(_choice(label) for label in ("tenant", "agent"))]


def _choice(label: str) -> dict[str, Any]:
    query = f"label_values(tollgate_invocations{{{NS}}}, {label})"
    return {"name": label, "type": "query", "label": label.capitalize(), "datasource": SOURCE,
            "query": {"query": query, "refId": label}, "definition": query, "refresh": 2,
            "multi": True, "includeAll": True, "allValue": ".*",
            "current": {"text": "All", "value": "$__all"}}


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    return {
        "id": number + 1, "title": panel.title, "type": panel.kind, "datasource": SOURCE,
        "gridPos": {"h": ROWS_HIGH, "w": ACROSS, "x": number % 2 * ACROSS,
                    "y": number // 2 * ROWS_HIGH},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [{"refId": chr(ord("A") + n), "datasource": SOURCE, "expr": expression,
                     "legendFormat": legend}
                    for n, (expression, legend) in enumerate(panel.lines)]}
