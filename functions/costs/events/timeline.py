"""Arranges one task's events as its steps over time, without I/O."""

from collections.abc import Iterable, Mapping
from typing import Any

from eventing.event import Event
from functions.costs.events.amounts import between_ms
from functions.costs.events.facts import Fact, read


def timeline(task: str, events: Iterable[Event]) -> dict[str, Any]:
    """Return the task's invocations by start, denials, corrections and sums.

    `total_nano` is the sum of `cost_nano` over invocations and adjustments.
    """
    known = [(read(event), event) for event in events]
    invocations = [_invocation(f, e) for f, e in known if f.kind == "attributed"]
    adjustments = [_adjustment(f, e) for f, e in known if f.kind == "adjusted"]
    invocations.sort(key=lambda entry: (entry["started"] or entry["at"], entry["step"] or 0))
    first = known[0][0] if known else None
    return {
        "task": task, "agent": first and first.agent, "session": first and first.session,
        "trace_id": next(filter(None, (_trace_id(e) for _, e in known)), None),
        "total_nano": sum(fact.sums.cost_nano for fact, _ in known),
        "tokens": sum(fact.sums.tokens for fact, _ in known),
        "invocations": invocations, "adjustments": adjustments,
        "denials": [denial(f, e) for f, e in known if f.kind == "denied"],
    }


def denial(fact: Fact, event: Event) -> dict[str, Any]:
    """Return a denied call: what was asked for, which account had no room, and why."""
    data = event.json()
    asked = data.get("invocation") or {}
    return {
        "id": event.id, "at": event.time, "agent": fact.agent, "session": fact.session,
        "task": fact.task, "step": asked.get("step"), "kind": asked.get("kind"),
        "name": _asked_name(data),
        **{name: data.get(name) for name in ("account", "unit", "need", "have", "reason")},
    }


def _invocation(fact: Fact, event: Event) -> dict[str, Any]:
    data = event.json()
    ran, cost, result = (_object(data, name) for name in ("invocation", "cost", "result"))
    return {
        "id": event.id, "kind": fact.what, "name": fact.name, "step": ran.get("step"),
        "attempt": ran.get("attempt"), "started": ran.get("started"), "ended": ran.get("ended"),
        "duration_ms": between_ms(ran.get("started"), ran.get("ended")), "at": event.time,
        "outcome": data.get("outcome"), "usage_basis": data.get("usage_basis"),
        "cold_start": bool(ran.get("cold_start")), "cost_nano": fact.sums.cost_nano,
        "reserved_nano": cost.get("reserved_nano"), "tokens": fact.sums.tokens,
        "finish_reason": result.get("finish_reason"), "error_type": result.get("error_type"),
    }


def _adjustment(fact: Fact, event: Event) -> dict[str, Any]:
    return {"id": event.id, "at": event.time, "kind": fact.what, "name": fact.name,
            "cost_nano": fact.sums.cost_nano, "reason": event.json().get("reason")}


def _object(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return data.get(name) or {}


def _asked_name(data: Mapping[str, Any]) -> str | None:
    tool, model = _object(data, "tool"), _object(data, "model")
    return tool.get("name") or model.get("selected") or model.get("requested")


def _trace_id(event: Event) -> str | None:
    parts = (event.extensions.get("traceparent") or "").split("-")
    return parts[1] if len(parts) == 4 else None
