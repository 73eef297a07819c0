"""Makes of a snapshot what a delivery commits, without I/O: the state and all that goes with it."""

from dataclasses import replace

from eventing.event import Event
from eventing.task_ending import Past, finished, told_results
from eventing.task_events import paused as paused_event
from eventing.task_events import resumed, stored, tool_refused, tool_requested, waited_for
from functions.agents import record
from functions.agents.attempt import Attempt
from functions.agents.denial import look_s
from functions.agents.loop import Answered, End, Toolbox, advance, plan
from shared import limits
from shared.tasks.contract import Status
from shared.tasks.state import TaskState
from shared.tasks.store import Commit, Entry, Snapshot


def advanced(seen: Snapshot, step: int, answered: Answered, attempt: Attempt, *,
             toolbox: Toolbox, past: Past) -> Commit | None:
    """Return the commit of a step that was answered; `None` if the step is committed already."""
    if seen.state.status.final or seen.state.step >= step:
        return None
    state = advance(seen, step, answered, toolbox=toolbox, now=past.now)
    mine = record.of_step(seen, state, answered, attempt)
    entries = [*told_results(seen), *record.entries_of(state, mine)]
    move = plan(seen, past.now)
    if isinstance(move, End) and not state.status.final:
        state = state.ended(move.status, past.now, move.error)
    if state.status.final:
        return finished(seen, state, replace(past, records=[*past.records, mine]), entries)
    return Commit(
        before=seen, state=state, due_at=past.now + limits.OVERDUE_AFTER_COMMIT_S,
        events=stored(next_events(state)), records=[mine], entries=entries,
        awaited=[call.call_id for call in state.calls])


def next_events(state: TaskState) -> list[Event]:
    """Return what a committed step sends out: its calls, or the task's own continuation."""
    if not state.calls:
        return [resumed(state, "the answer does not fit its schema")]
    return [tool_refused(state, call) if call.refusal else tool_requested(state, call)
            for call in state.calls]


def paused(seen: Snapshot, reason: str, wait_s: float, now: float) -> Commit | None:
    """Return the commit of a step that waits for budget; its time asleep moves the deadline."""
    if seen.state.status.final or seen.missing:
        return None
    return _asleep(seen, reason, wait_s, now)


def may_sleep(state: TaskState) -> bool:
    """Tell whether a task may wait for budget once more; what is over waits for nothing."""
    return (state.status.final or state.status is Status.PAUSED
            or state.extended_s + look_s(state.wakes) <= limits.PAUSE_MAX_S)


def starved(seen: Snapshot, call_id: str, reason: str, now: float) -> Commit | None:
    """Return the commit of a task one of whose calls waits for budget; `None` if it sleeps."""
    state = seen.state
    if state.status.final or call_id not in seen.missing or (
            state.status is Status.PAUSED and (state.wake_at or now) > now):
        return None
    return _asleep(seen, reason, look_s(state.wakes), now)


def asking_again(seen: Snapshot, now: float) -> Commit | None:
    """Return the commit by which a task goes on whose calls waited: they are asked for again."""
    woken = awake(seen, now)
    if seen.state.status.final or not woken.missing:
        return None
    return Commit(before=woken, state=woken.state, due_at=now + limits.OVERDUE_AFTER_COMMIT_S,
                  events=stored(waited_for(woken)),
                  entries=[Entry("status", {"status": woken.state.status})])


def _asleep(seen: Snapshot, reason: str, wait_s: float, now: float) -> Commit:
    state = seen.state
    later = state.but(status=Status.PAUSED, wake_at=now + wait_s, wakes=state.wakes + 1, nudges=0,
                      extended_s=state.extended_s + wait_s)
    is_new = Status.PAUSED not in (seen.stored_status, state.status)
    entry = Entry("status", {"status": Status.PAUSED, "reason": reason, "waits_s": round(wait_s)})
    return Commit(before=seen, state=later, due_at=now + wait_s, entries=[entry],
                  events=stored([paused_event(later, reason)]) if is_new else ())


def awake(seen: Snapshot, now: float) -> Snapshot:
    """Return a task without its pause or wait: what it waited for may be there."""
    state = seen.state
    if state.status is not Status.PAUSED:
        return replace(seen, state=state.but(wake_at=None))
    early_s = max((state.wake_at or now) - now, 0.0)
    woken = state.but(status=Status.RUNNING if state.step else Status.PENDING, wake_at=None,
                      extended_s=max(state.extended_s - early_s, 0.0))
    return replace(seen, state=woken, stored_status=Status.PAUSED)


def put_off(seen: Snapshot, reason: str, now: float) -> Commit | None:
    """Return the commit of a step that must wait, with a growing time to wake at."""
    state = seen.state
    if state.status.final or seen.missing:
        return None
    wait_s = min(limits.WAKE_AGAIN_S * 2**min(state.wakes, 8), limits.WAKE_AGAIN_MAX_S)
    later = state.but(wake_at=now + wait_s, wakes=state.wakes + 1, nudges=0)
    return Commit(before=seen, state=later, due_at=min(now + wait_s, state.deadline_at),
                  entries=[Entry("status", {"status": state.status, "reason": reason,
                                            "waits_s": wait_s})])
