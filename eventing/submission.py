"""Accepts tasks: gives them an id, a grant and a place in the store, then publishes them.

The commit comes first; a crash before the publish is the watchdog's to mend.
"""

import logging
from dataclasses import dataclass
from uuid import uuid4

from pydantic import SecretStr

from eventing.event import Event
from eventing.outbox import Outbox
from eventing.task_events import cancel_requested, stored, submitted
from shared import limits
from shared.auth import Grant, TaskLimits, sign
from shared.clock import Clock
from shared.errors import NotFound, Permanent, Transient
from shared.faults import FaultPoint, reach
from shared.ids import derived
from shared.tasks.contract import AgentTask, TaskRequest
from shared.tasks.state import TaskState
from shared.tasks.store import Commit, Snapshot, Tasks
from shared.telemetry import traceparent

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Origin:
    """Who submits, and how the task's id follows from it."""

    tenant: str
    idempotency_key: str | None = None
    event: Event | None = None
    """The CloudEvent that brought the request, if one did."""


class Submissions:
    """Accepts, cancels; used by the gateway and by each agent's own API."""

    def __init__(self, tasks: Tasks, outbox: Outbox, key: SecretStr, clock: Clock) -> None:
        self._tasks = tasks
        self._outbox = outbox
        self._key = key
        self._clock = clock

    async def submit(self, request: TaskRequest, origin: Origin) -> TaskState:
        """Accept the request once; the same request again returns the same task.

        Raises:
            Permanent: the id or the idempotency key was used for another request.
            Unavailable: the store is away; nothing was accepted, or the same call finds it.
        """
        task = AgentTask.accept(request, task_id=_task_id(request, origin))
        state = self._new(task, origin)
        event = submitted(state)
        (ident, body), = stored([event])
        now = self._clock()
        found = await self._tasks.submit(state, (ident, body), now + limits.OVERDUE_AFTER_COMMIT_S)
        if not _same(found.task, task):
            raise Permanent(f"task {task.id} was submitted with other contents: use another "
                            "Idempotency-Key or id")
        await reach(FaultPoint.SUBMIT_AFTER_COMMIT)
        if found.created_at == state.created_at:
            await self._publish(found, {ident: body})
            await reach(FaultPoint.SUBMIT_AFTER_PUBLISH)
        return found

    async def cancel(self, tenant: str, task_id: str, reason: str) -> TaskState:
        """Ask the task's agent to end it; a final task stays as it is.

        Raises:
            NotFound: there is no such task.
        """
        for _ in range(limits.COMMIT_RETRIES_MAX):
            snapshot = await self._tasks.look(tenant, task_id)
            if snapshot is None:
                raise NotFound(f"there is no task {task_id}")
            if snapshot.state.status.final:
                return snapshot.state
            if await self._cancelled(snapshot, reason):
                return snapshot.state
        raise Transient(f"task {task_id} changes too fast: ask again")

    async def _cancelled(self, snapshot: Snapshot, reason: str) -> bool:
        state, now = snapshot.state, self._clock()
        events = stored([cancel_requested(state, reason)])
        await self._tasks.cancel(state.tenant, state.task.id, reason)
        committed = await self._tasks.commit(Commit(
            before=snapshot, state=state, events=events,
            due_at=now + limits.OVERDUE_AFTER_COMMIT_S))
        if committed:
            await self._publish(state, dict(events))
        return committed > 0

    async def _publish(self, state: TaskState, bodies: dict[str, str]) -> None:
        try:
            await self._outbox.flush(state, bodies, self._clock())
        except Transient as error:
            log.warning("task %s is accepted; the watchdog publishes it: %s", state.task.id, error)

    def _new(self, task: AgentTask, origin: Origin) -> TaskState:
        now, event = self._clock(), origin.event
        grant = Grant(
            tenant=origin.tenant, agent=task.agent, session=task.session_id, root=task.id,
            limits=TaskLimits(task=task.id, usd=task.cost_budget_nano, tok=task.token_budget),
            exp=int(now + task.deadline_s + limits.GRANT_GRACE_S))
        chain = event.number("chain") + 1 if event else 0
        if chain > limits.CHAIN_MAX:
            raise Permanent(f"{chain} tasks started each other by events: a loop")
        return TaskState.new(
            task, tenant=origin.tenant, grant=sign(grant, self._key), root=task.id, chain=chain,
            traceparent=traceparent(), created_at=now)


def _task_id(request: TaskRequest, origin: Origin) -> str:
    if origin.event is not None:
        return derived(origin.tenant, origin.event.source, origin.event.id)
    if request.id is not None:
        return request.id
    if origin.idempotency_key is not None:
        return derived(origin.tenant, "idempotency-key", origin.idempotency_key)
    return str(uuid4())


def _same(found: AgentTask, asked: AgentTask) -> bool:
    """Tell whether the stored task is the one asked for; a finished one keeps only a part."""
    if found.prompt == asked.prompt and found.context == asked.context:
        return found == asked
    begins = found.prompt.partition("… [")[0]
    return (found.agent == asked.agent and found.max_steps == asked.max_steps
            and found.token_budget == asked.token_budget
            and asked.prompt.startswith(begins) and begins != found.prompt)
