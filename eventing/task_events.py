"""Makes a task's events from its state: the same state, the same ids (architecture, section 4)."""

from collections.abc import Iterable

from eventing.event import NOT_COPIED, Event
from eventing.http import decode, encode_structured
from eventing.types import (
    TaskCancelRequested,
    TaskCompleted,
    TaskPaused,
    TaskResumed,
    TaskSubmitted,
)
from eventing.types_tool import Payload, ToolCompleted, ToolFailure, ToolRequested
from shared.clock import rfc3339
from shared.ids import derived
from shared.tasks.state import OpenCall, TaskState
from shared.tasks.store import Snapshot
from shared.telemetry import traceparent


def submitted(state: TaskState) -> Event:
    """Return the event that starts the task at its agent."""
    return _event(state, TaskSubmitted(task=state.task), "submitted", source="gateway",
                  replyto=state.replyto, parentid=state.parent, callid=state.parent_call)


def cancel_requested(state: TaskState, reason: str) -> Event:
    """Return the event that asks the agent to end the task."""
    return _event(state, TaskCancelRequested(reason=reason), "cancel", source="gateway")


def resumed(state: TaskState, reason: str) -> Event:
    """Return the event by which a task goes on when no tool has to run."""
    return _event(state, TaskResumed(reason=reason), f"resumed:{state.step}:{state.resumes}")


def paused(state: TaskState, reason: str) -> Event:
    """Return the event that says that a task waits for budget."""
    return _event(state, TaskPaused(reason=reason), f"paused:{state.step}:{state.wakes}")


def tool_requested(state: TaskState, call: OpenCall) -> Event:
    """Return the event that wakes a tool for one call of the current step."""
    payload = ToolRequested(
        call_id=call.call_id, tool=call.tool, version=call.version, arguments=call.arguments,
        step=state.step, deadline_at=state.deadline_at)
    return _event(state, payload, f"requested:{call.call_id}", tool=call.tool,
                  replyto=state.task.agent, nudge=state.reopened or None)


def tool_refused(state: TaskState, call: OpenCall) -> Event:
    """Return the outcome of a call that was refused before any tool was woken."""
    failure = ToolFailure(code="invalid_arguments", message=call.refusal or "refused")
    payload = ToolCompleted(call_id=call.call_id, tool=call.tool, version=call.version,
                            error=failure, runs=0)
    return _event(state, payload, f"completed:{call.call_id}", tool=call.tool,
                  replyto=state.task.agent)


def tool_failed(requested: Event, failure: ToolFailure) -> Event:
    """Return the outcome of a call whose `tool.requested` could not be delivered."""
    asked = ToolRequested.model_validate(requested.json())
    payload = ToolCompleted(call_id=asked.call_id, tool=asked.tool, version=asked.version,
                            error=failure, runs=0)
    event = Event.of(
        payload, type=payload.TYPE, source=f"/{asked.tool}",
        id=derived(requested.get("tenantid"), requested.get("taskid"),
                   f"completed:{asked.call_id}"))
    kept = {k: v for k, v in requested.extensions.items() if k not in NOT_COPIED}
    return event.extended(**kept, hops=requested.number("hops") + 1)


def completed(state: TaskState) -> Event:
    """Return the outcome of a task that reached a final status."""
    return _event(state, TaskCompleted(result=state.result()), f"ended:{state.reopened}",
                  replyto=state.replyto, parentid=state.parent, callid=state.parent_call,
                  revision=state.revision)


def waited_for(snapshot: Snapshot) -> list[Event]:
    """Return the events that would make a silent task go on: what it waits for, or its start."""
    state, missing = snapshot.state, set(snapshot.missing)
    if state.status.final:
        return [completed(state)]
    calls = [c for c in state.calls if c.call_id in missing]
    if not calls:
        return [resumed(state, "woken") if state.step else submitted(state)]
    return [tool_refused(state, c) if c.refusal else tool_requested(state, c) for c in calls]


def stored(events: Iterable[Event]) -> list[tuple[str, str]]:
    """Return events as a commit stores them: id and structured JSON."""
    return [(event.id, encode_structured(event)[1].decode()) for event in events]


def restored(body: str) -> Event:
    """Return the event that a commit stored."""
    return decode({"content-type": "application/cloudevents+json"}, body.encode())


def _event(state: TaskState, payload: Payload, cause: str, *, source: str | None = None,
           **extensions: str | int | None) -> Event:
    task = state.task
    return Event.of(
        payload, type=payload.TYPE, id=derived(state.tenant, task.id, cause),
        source=f"/{source or task.agent}", subject=task.id, time=rfc3339(state.created_at),
        tenantid=state.tenant, taskid=task.id, rootid=state.root, sessionid=task.session_id,
        agent=task.agent, partitionkey=task.id, grant=state.grant, hops=state.hops + 1,
        depth=state.depth, chain=state.chain, traceparent=traceparent() or state.traceparent,
        **extensions)
