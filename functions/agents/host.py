"""Runs an agent: takes deliveries through record, claim, perform, commit, publish.

Nothing is held between deliveries; each one gets at most one model answer (architecture, 5).
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from eventing.adapter import Delivery
from eventing.event import Event
from eventing.outbox import Outbox
from eventing.publish import Publisher
from eventing.task_cost import Posted
from eventing.task_ending import Past, ended
from eventing.task_events import completed
from eventing.types import TaskResumed
from eventing.types_tool import ToolCompleted
from functions.agents import commits
from functions.agents.attempt import Attempt
from functions.agents.definition import Definition
from functions.agents.intake import Intake, starved
from functions.agents.loop import Answered, End, Rest, Think, Toolbox, conversation, fold, plan
from functions.agents.perform import Performer, Work
from functions.agents.pinning import Siblings
from functions.agents.stops import Deferred, Paused, Stopped
from shared import gen_ai, limits
from shared.clock import Clock
from shared.errors import Busy, Permanent
from shared.faults import FaultPoint, reach
from shared.metering import Unavailable
from shared.models.port import Message, Model, ModelRequest
from shared.tasks.claims import Claim, Claims, Committed
from shared.tasks.contract import Status
from shared.tasks.store import Commit, Snapshot, Tasks
from shared.telemetry import span, trace_id

log = logging.getLogger(__name__)

Decide = Callable[[Snapshot], Awaitable[Commit | None]]
"""Makes of a snapshot what to commit; `None` when there is nothing left to do."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What an agent works with; wired once in `serve`."""

    definition: Definition
    toolbox: Toolbox
    tasks: Tasks
    claims: Claims
    outbox: Outbox
    publisher: Publisher
    posted: Posted
    model: Model
    model_name: str
    performer: Performer
    siblings: Siblings
    clock: Clock


class Host:
    """One agent's handler of events."""

    def __init__(self, parts: Parts) -> None:
        self._p = parts
        self._intake = Intake(parts.definition.name, parts.tasks, parts.clock)

    async def __call__(self, delivery: Delivery) -> None:
        """Handle one delivery; returning acknowledges it.

        Raises:
            Permanent: the event can never be handled.
            Transient: a redelivery may succeed.
        """
        event, grant = delivery.event, delivery.granted
        await reach(FaultPoint.BEFORE_RECORD)
        snapshot = await self._intake.take(event, grant)
        await reach(FaultPoint.AFTER_RECORD)
        if snapshot is None:
            log.info("nothing waits for %s %s", event.type, event.id)
            return
        if snapshot.state.task.agent != self._p.definition.name:
            raise Permanent(f"task {snapshot.state.task.id} is agent "
                            f"{snapshot.state.task.agent}'s, not {self._p.definition.name}'s")
        # Waiting is no link of a chain: a task may wait and be woken as often as it must.
        if await self._p.siblings.took(event, snapshot.state):
            return
        is_link = event.type != TaskResumed.TYPE and starved(event) is None
        came = event.number("hops") if is_link else 0
        hops = max(snapshot.state.hops, came)
        snapshot = replace(snapshot, state=snapshot.state.but(
            hops=hops, revision=self._p.siblings.revision))
        with span("agent.run", gen_ai.agent(self._p.definition.name, grant.session) | {
                "agent.id": self._p.definition.name, "agent.task_id": grant.task,
                "agent.session": grant.session, "agent.current_step": snapshot.state.step}):
            await self._go_on(snapshot, event)

    async def _go_on(self, snapshot: Snapshot, event: Event) -> None:
        match plan(snapshot, self._p.clock()):
            case Rest():
                await self._sleep_or_ask(snapshot, event)
                await self._rest(snapshot, event)
            case End() as end:
                await self._commit(snapshot, event, self._ending(end))
            case Think(step):
                try:
                    await self._step(snapshot, step, event)
                except Committed:
                    log.info("step %s of task %s is done already", step, snapshot.state.task.id)

    async def _sleep_or_ask(self, snapshot: Snapshot, event: Event) -> None:
        """Pause a task one of whose calls waits for budget; ask again for those of a woken one."""
        if outcome := starved(event):
            await self._commit(snapshot, event, self._starving(outcome))
        elif event.type == TaskResumed.TYPE and snapshot.stored_status is Status.PAUSED:
            await self._commit(snapshot, event, self._asking_again)

    async def _rest(self, snapshot: Snapshot, event: Event) -> None:
        """Publish what a predecessor left: only the redelivery of its event, or a nudge, does.

        Any other delivery may be so early that the predecessor is still publishing.
        """
        is_asked = event.get("nudge") is not None
        if is_asked or event.id == snapshot.state.cause:
            await self._p.outbox.flush(snapshot.state, snapshot.outbox, self._p.clock())
        if is_asked and snapshot.state.status.final:
            await self._p.publisher.publish(completed(snapshot.state))

    async def _step(self, snapshot: Snapshot, step: int, event: Event) -> None:
        state = snapshot.state
        work = await self._work(snapshot, step, event)
        await reach(FaultPoint.BEFORE_CLAIM)
        first = self._p.performer.first(work).record()
        async with self._p.claims.hold(state.tenant, state.task.id, step, first) as claim:
            await reach(FaultPoint.AFTER_CLAIM)
            with span("agent.step", {"agent.task_id": state.task.id,
                                     "agent.current_step": step}):
                await self._taken(work, event, claim)

    async def _taken(self, work: Work, event: Event, claim: Claim) -> None:
        snapshot = work.snapshot
        try:
            answered, attempt = await self._p.performer.perform(work, claim)
        except Stopped as stop:
            await self._commit(snapshot, event, self._ending(End(stop.status, stop.error)), claim)
        except Paused as pause:
            await self._commit(snapshot, event, self._pausing(pause), claim)
        except (Deferred, Unavailable) as reason:
            log.warning("step %s put off: %s", work.step, reason)
            await self._commit(snapshot, event, self._putting_off(str(reason)), claim)
        else:
            advancing = self._advancing(work.step, answered, attempt)
            await self._commit(snapshot, event, advancing, claim)

    def _ending(self, end: End) -> Decide:
        async def decide(seen: Snapshot) -> Commit | None:
            return ended(seen, end.status, end.error, await self._past(seen, final=True))
        return decide

    def _advancing(self, step: int, answered: Answered, attempt: Attempt) -> Decide:
        async def decide(seen: Snapshot) -> Commit | None:
            final = not answered.reply.tool_calls
            return commits.advanced(seen, step, answered, attempt, toolbox=self._p.toolbox,
                                    past=await self._past(seen, final=final))
        return decide

    def _pausing(self, pause: Paused) -> Decide:
        async def decide(seen: Snapshot) -> Commit | None:
            return commits.paused(seen, pause.reason, pause.wait_s, self._p.clock())
        return decide

    def _starving(self, outcome: ToolCompleted) -> Decide:
        async def decide(seen: Snapshot) -> Commit | None:
            why = outcome.error.message if outcome.error else ""
            return commits.starved(seen, outcome.call_id, f"{outcome.tool}: {why}",
                                   self._p.clock())
        return decide

    async def _asking_again(self, seen: Snapshot) -> Commit | None:
        return commits.asking_again(seen, self._p.clock())

    def _putting_off(self, reason: str) -> Decide:
        async def decide(seen: Snapshot) -> Commit | None:
            return commits.put_off(seen, reason, self._p.clock())
        return decide

    async def _past(self, seen: Snapshot, *, final: bool) -> Past:
        state = seen.state
        if not final:
            return Past((), None, self._p.clock())
        records = await self._p.tasks.steps(state.tenant, state.task.id)
        return Past(records, await self._p.posted.of(state), self._p.clock())

    async def _work(self, snapshot: Snapshot, step: int, event: Event) -> Work:
        state, definition = snapshot.state, self._p.definition
        task = state.task
        remembers = definition.memory.turns and task.session_id != task.id
        history = (await self._p.tasks.history(state.tenant, task.agent, task.session_id)
                   if remembers else [])
        messages = conversation(definition, snapshot, history)
        fixed = len(messages) - len(snapshot.state.messages) - len(state.calls)
        left = max(task.token_budget - state.tokens_used, 0)
        context_max = min(definition.limits.context_tokens, left // 4)

        def asked(of: tuple[Message, ...], cap: int = limits.OUTPUT_TOKENS_MIN) -> ModelRequest:
            return ModelRequest(
                model=self._p.model_name, messages=of, tools=self._p.toolbox.specs(),
                output_tokens_max=cap, timeout_s=limits.MODEL_TIMEOUT_S,
                metadata={"trace_id": trace_id() or "", "task_id": task.id})

        def fits(some: tuple[Message, ...]) -> bool:
            return self._p.model.input_tokens_max(asked(some)) <= context_max

        messages = fold(messages, fits, fixed)
        room = left - self._p.model.input_tokens_max(asked(messages))
        cap = max(min(definition.limits.output_tokens, room), limits.OUTPUT_TOKENS_MIN)
        return Work(snapshot=snapshot, step=step, request=asked(messages, cap),
                    trigger=(event.source, event.id),
                    on_token=lambda text: self._p.tasks.told(state.tenant, task.id, text))

    async def _commit(self, snapshot: Snapshot, event: Event, decided: Decide,
                      claim: Claim | None = None) -> None:
        """Commit what `decided` makes of the state, again for each newer version, then publish."""
        for _ in range(limits.COMMIT_RETRIES_MAX):
            commit = await decided(snapshot)
            if commit is None:
                return
            commit = replace(commit, token=claim.token if claim else None,
                             state=commit.state.but(cause=event.id))
            await reach(FaultPoint.BEFORE_COMMIT)
            version = await self._p.tasks.commit(commit)
            if version > 0:
                await reach(FaultPoint.AFTER_COMMIT)
                await self._p.outbox.flush(commit.state, dict(commit.events), self._p.clock(),
                                           known=snapshot.outbox)
                return
            if version < 0:
                raise Busy(f"step claim of task {commit.state.task.id} was lost")
            newer = await self._p.tasks.look(snapshot.state.tenant, snapshot.state.task.id)
            if newer is None:
                return
            hops = max(newer.state.hops, snapshot.state.hops)
            snapshot = replace(newer, state=newer.state.but(
                hops=hops, revision=self._p.siblings.revision))
        raise Busy(f"task {snapshot.state.task.id} changed {limits.COMMIT_RETRIES_MAX} times")
