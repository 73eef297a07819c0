"""One call of a tool as its delivery describes it, and what is derived from it without I/O."""

import json
from dataclasses import dataclass
from typing import Any

from eventing.adapter import Delivery
from eventing.event import NOT_COPIED, Event
from eventing.types_tool import WAITING, ToolCompleted, ToolFailure, ToolRequested
from functions.tools.declare import Tool
from functions.tools.run import Ran, refusal
from shared.ids import derived
from shared.telemetry import traceparent
from shared.toolcalls.rows import Call


@dataclass(frozen=True, slots=True)
class Job:
    """What is asked, by which task, on whose account."""

    asked: ToolRequested
    tenant: str
    task: str
    grant: str
    """The compact grant, as the ledger checks it."""
    agent_version: str
    trigger_source: str
    trigger_id: str
    nudge: int = 0

    @classmethod
    def of(cls, delivery: Delivery) -> "Job":
        """Return the job of a `tool.requested`; the tenant is the grant's.

        Raises:
            Malformed: the data is not JSON, or an extension is no number.
        """
        event, grant = delivery.event, delivery.granted
        return cls(
            asked=ToolRequested.model_validate(event.json()), tenant=grant.tenant,
            task=grant.task, grant=event.extensions["grant"],
            agent_version=event.get("agentversion") or "", trigger_source=event.source,
            trigger_id=event.id, nudge=event.number("nudge"))

    def reservation(self, call: Call) -> str:
        """Return the reservation's id of the call's present attempt."""
        return derived(self.tenant, self.task, self.asked.step, self.asked.call_id, call.attempt)


def hindrance(tool: Tool[Any], asked: ToolRequested, now: float) -> ToolFailure | None:
    """Return why the tool is not even tried, or `None`."""
    if asked.version.split(".")[0] != tool.version.split(".")[0]:
        return ToolFailure(code="failed", message=f"{tool.name} {asked.version} was asked for and "
                                                  f"{tool.version} is deployed")
    if asked.deadline_at < now:
        return ToolFailure(code="timeout", message="the task's deadline has passed")
    return refusal(tool, asked.arguments)


def outcome(job: Job, ran: Ran, *, runs: int, result_ref: str | None = None) -> ToolCompleted:
    """Return the data of the call's `tool.completed`; a `result_ref` stands for the result."""
    return ToolCompleted(
        call_id=job.asked.call_id, tool=job.asked.tool, version=job.asked.version,
        result=json.loads(ran.result) if ran.result and not result_ref else None,
        result_ref=result_ref, error=ran.failure, duration_ms=ran.duration_ms, runs=runs)


def completed(requested: Event, tenant: str, data: str) -> Event:
    """Return the `tool.completed` of a `tool.requested`; the same request, the same id."""
    payload = ToolCompleted.model_validate_json(data)
    return _reply(requested, payload, tenant, f"completed:{payload.call_id}")


def waiting(requested: Event, call: Call, why: str) -> Event:
    """Return the event by which the task of a call learns that it waits for budget."""
    asked = ToolRequested.model_validate(requested.json())
    payload = ToolCompleted(
        call_id=asked.call_id, tool=asked.tool, version=asked.version, runs=call.runs,
        error=ToolFailure(code=WAITING, message=why))
    return _reply(requested, payload, call.tenant, f"waiting:{call.call_id}:{call.attempt}")


def _reply(requested: Event, payload: ToolCompleted, tenant: str, cause: str) -> Event:
    event = Event.of(
        payload, type=payload.TYPE, source=f"/{payload.tool}",
        id=derived(tenant, requested.get("taskid"), cause), subject=requested.subject)
    kept = {k: v for k, v in requested.extensions.items() if k not in NOT_COPIED}
    return event.extended(**kept | {
        "hops": requested.number("hops") + 1,
        "traceparent": traceparent() or requested.get("traceparent")})
