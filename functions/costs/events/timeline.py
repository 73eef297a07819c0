"""Arranges one task's events as its steps over time, without I/O."""

from collections.abc import Iterable
from typing import Any

from eventing.event import Event
from functions.costs.events.amounts import between_ms
from functions.costs.events.facts import Fact, read
from functions.costs.events.payload import Data


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
    data, asked = fact.data, fact.data.invocation
    return {
        "id": event.id, "at": event.time, "agent": fact.agent, "session": fact.session,
        "task": fact.task, "step": asked and asked.step, "kind": asked and asked.kind,
        "name": _asked_name(data), "account": data.account, "unit": data.unit, "need": data.need,
        "have": data.have, "reason": data.reason,
    }


def _invocation(fact: Fact, event: Event) -> dict[str, Any]:
    data = fact.data
    ran, cost, result = data.invocation, data.cost, data.result
    started, ended = (ran.started, ran.ended) if ran else (None, None)
    return {
        "id": event.id, "kind": fact.what, "name": fact.name, "step": ran and ran.step,
        "attempt": ran and ran.attempt, "started": started, "ended": ended,
        "duration_ms": between_ms(started, ended), "at": event.time,
        "outcome": data.outcome, "usage_basis": data.usage_basis,
        "cold_start": bool(ran and ran.cold_start), "cost_nano": fact.sums.cost_nano,
        "reserved_nano": cost and cost.reserved_nano, "tokens": fact.sums.tokens,
        "finish_reason": result.finish_reason, "error_type": result.error_type,
    }


def _adjustment(fact: Fact, event: Event) -> dict[str, Any]:
    return {"id": event.id, "at": event.time, "kind": fact.what, "name": fact.name,
            "cost_nano": fact.sums.cost_nano, "reason": fact.data.reason}


def _asked_name(data: Data) -> str | None:
    if data.tool is not None:
        return data.tool.name
    return (data.model.selected or data.model.requested) if data.model else None


def _trace_id(event: Event) -> str | None:
    parts = (event.extensions.get("traceparent") or "").split("-")
    return parts[1] if len(parts) == 4 else None
