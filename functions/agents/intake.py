"""Writes down what an event brings, by scripts that commute; in what order events come is open."""

from eventing.event import Event
from eventing.types import TaskCancelRequested, TaskCompleted, TaskResumed, TaskSubmitted
from eventing.types_tool import WAITING, ToolCompleted
from functions.agents import commits
from shared import limits
from shared.auth import Grant
from shared.clock import Clock
from shared.errors import Permanent
from shared.tasks.contract import Status
from shared.tasks.state import TaskState
from shared.tasks.store import Snapshot, Tasks


def waits(outcome: ToolCompleted) -> bool:
    """Tell whether a call has not ended but waits for budget."""
    return outcome.error is not None and outcome.error.code == WAITING


def starved(event: Event) -> ToolCompleted | None:
    """Return the word that a call waits for budget, if that is what an event brings."""
    if event.type != ToolCompleted.TYPE:
        return None
    outcome = ToolCompleted.model_validate(event.json())
    return outcome if waits(outcome) else None


class Intake:
    """One agent's events."""

    def __init__(self, agent: str, tasks: Tasks, clock: Clock) -> None:
        self._agent, self._tasks, self._clock = agent, tasks, clock

    async def take(self, event: Event, grant: Grant) -> Snapshot | None:
        """Record the event; return its task as it is then, `None` if nobody waits for it.

        Raises:
            Permanent: it can never be handled here.
        """
        tenant, task_id = grant.tenant, grant.task
        match event.type:
            case TaskSubmitted.TYPE:
                return await self._submitted(event, grant)
            case ToolCompleted.TYPE:
                return await self._ended(await self._outcome(event, tenant), grant)
            case TaskCompleted.TYPE:
                return await self._sub_task(event, grant)
            case TaskCancelRequested.TYPE:
                reason = TaskCancelRequested.model_validate(event.json()).reason
                return await self._tasks.cancel(tenant, task_id, reason)
            case TaskResumed.TYPE:
                return self._awake(await self._tasks.look(tenant, task_id))
            case _:
                raise Permanent(f"agent {self._agent} does not handle {event.type}")

    async def _submitted(self, event: Event, grant: Grant) -> Snapshot | None:
        task = TaskSubmitted.model_validate(event.json()).task
        if task.id != grant.task or task.agent != self._agent:
            raise Permanent(f"task {task.id} of agent {task.agent} is not what the grant is for")
        if found := await self._tasks.look(grant.tenant, task.id):
            return found
        now = self._clock()
        if grant.exp < now:
            raise Permanent("the grant expired before the task was first accepted")
        state = TaskState.new(
            task, tenant=grant.tenant, grant=event.get("grant") or "", root=grant.root,
            replyto=event.get("replyto"), parent=event.get("parentid"),
            parent_call=event.get("callid"),
            depth=event.number("depth"), chain=event.number("chain"),
            traceparent=event.get("traceparent"), created_at=now)
        await self._tasks.submit(state, ("", ""), now + limits.OVERDUE_AFTER_COMMIT_S)
        return await self._tasks.look(grant.tenant, task.id)

    async def _outcome(self, event: Event, tenant: str) -> ToolCompleted:
        outcome = ToolCompleted.model_validate(event.json())
        if outcome.result_ref is None:
            return outcome
        value = await self._tasks.checked_in(tenant, outcome.result_ref)
        return outcome.model_copy(update={"result": value, "result_ref": None})

    async def _ended(self, outcome: ToolCompleted, grant: Grant) -> Snapshot | None:
        """Write down how a call ended; one that waits for budget has not, as long as it may."""
        if waits(outcome):
            seen = await self._tasks.look(grant.tenant, grant.task)
            if seen is None or commits.may_sleep(seen.state):
                return seen
        return await self._result(grant.tenant, grant.task, outcome)

    async def _sub_task(self, event: Event, grant: Grant) -> Snapshot | None:
        """Write a sub-task's outcome down as the result of the call that asked for it."""
        result = TaskCompleted.model_validate(event.json()).result
        parent, call = event.get("parentid"), event.get("callid")
        if not parent or not call:
            return None
        if parent not in {ancestor.task for ancestor in grant.ancestors}:
            raise Permanent(f"task {grant.task} is no sub-task of {parent}: its grant says so")
        return await self._result(grant.tenant, parent, ToolCompleted(
            call_id=call, tool="delegate", version="1.0.0", result=result.model_dump(mode="json")))

    async def _result(self, tenant: str, task: str, outcome: ToolCompleted) -> Snapshot | None:
        """Store a result; a task that slept for a call goes on once nothing is missing."""
        found = await self._tasks.result(tenant, task, outcome.call_id,
                                         outcome.model_dump_json(exclude_defaults=True))
        slept = found is not None and found.state.status is Status.PAUSED and not found.missing
        return self._awake(found) if slept else found

    def _awake(self, snapshot: Snapshot | None) -> Snapshot | None:
        """Return the task without a pause or a wait: what it waited for is there."""
        if snapshot is None or snapshot.state.status.final:
            return snapshot
        return commits.awake(snapshot, self._clock())
