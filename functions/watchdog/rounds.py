"""Goes through what is overdue, tenant by tenant."""

import logging
from collections import Counter

from eventing.outbox import Outbox
from eventing.publish import Publisher
from eventing.task_events import waited_for
from eventing.task_failing import Failing
from functions.watchdog.judge import Fail, Forget, Nudge, Publish, judge
from shared import limits
from shared.clock import Clock
from shared.errors import TollgateError
from shared.tasks.overdue import Overdue
from shared.tasks.store import Commit, Entry, Snapshot, Tasks
from shared.telemetry import span

log = logging.getLogger(__name__)


class Rounds:
    """One pass over everything that is overdue; safe to run twice at once."""

    def __init__(self, tasks: Tasks, overdue: Overdue, *, outbox: Outbox,
                 publisher: Publisher, failing: Failing, clock: Clock) -> None:
        self._tasks = tasks
        self._overdue = overdue
        self._outbox = outbox
        self._publisher = publisher
        self._failing = failing
        self._clock = clock

    async def go(self) -> Counter[str]:
        """Look after every overdue task; return how many got which verdict.

        One task's failure does not keep the others waiting: it is logged, counted, and the task
        stays overdue.
        """
        done: Counter[str] = Counter()
        for tenant in await self._overdue.tenants():
            for task_id in await self._overdue.tasks(tenant, self._clock()):
                try:
                    done[await self._look_after(tenant, task_id)] += 1
                except TollgateError as error:
                    log.warning("task %s stays overdue: %s", task_id, error.detail)
                    done["put_off"] += 1
        return done

    async def _look_after(self, tenant: str, task_id: str) -> str:
        snapshot = await self._tasks.look(tenant, task_id)
        if snapshot is None:
            await self._overdue.forget(tenant, task_id)
            return "forgotten"
        state = snapshot.state
        verdict = judge(snapshot, self._clock())
        with span("watchdog.look", {"agent.task_id": task_id}, state.traceparent):
            match verdict:
                case Publish():
                    await self._outbox.flush(state, snapshot.outbox, self._clock())
                case Forget():
                    await self._overdue.forget(tenant, task_id)
                case Fail(error):
                    await self._failing.fail(snapshot, error)
                case Nudge(n, counts):
                    await self._nudge(snapshot, n, counts=counts)
        return type(verdict).__name__.lower()

    async def _nudge(self, snapshot: Snapshot, n: int, *, counts: bool) -> None:
        """Publish again what the task waits for; the commit before it moves the due time."""
        state = snapshot.state.but(wake_at=None, nudges=n if counts else n - 1)
        next_look = self._outbox.next_look(state, self._clock())
        committed = await self._tasks.commit(Commit(
            before=snapshot, state=state,
            due_at=next_look or self._clock() + limits.OVERDUE_AFTER_COMMIT_S,
            entries=[Entry("status", {"status": state.status, "nudge": n})] if counts else ()))
        if committed > 0:
            for event in waited_for(snapshot):
                await self._publisher.publish(event.extended(nudge=n))
