"""Ends tasks that nobody will go on with: for the watchdog and the dead letters."""

from eventing.outbox import Outbox
from eventing.task_cost import Posted
from eventing.task_ending import Past, ended
from shared.clock import Clock
from shared.faults import FaultPoint, reach
from shared.tasks.contract import Status
from shared.tasks.store import Snapshot, Tasks


class Failing:
    """Commits a task as failed, with its partial output and what it cost, and says so."""

    def __init__(self, tasks: Tasks, outbox: Outbox, posted: Posted, clock: Clock) -> None:
        self._tasks, self._outbox = tasks, outbox
        self._posted, self._clock = posted, clock

    async def fail(self, snapshot: Snapshot, error: str) -> bool:
        """End the task; false if it has ended, or went on since the snapshot.

        Raises:
            Transient: Redis or the broker is away; what is committed is published later.
        """
        state = snapshot.state
        records = await self._tasks.steps(state.tenant, state.task.id)
        past = Past(records, await self._posted.of(state), self._clock())
        commit = ended(snapshot, Status.FAILED, error, past)
        await reach(FaultPoint.TASK_BEFORE_END)
        if commit is None or await self._tasks.commit(commit) <= 0:
            return False
        await reach(FaultPoint.TASK_AFTER_END)
        await self._outbox.flush(commit.state, dict(commit.events), self._clock())
        return True
