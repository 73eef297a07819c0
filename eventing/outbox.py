"""Publishes what commits left in a task's outbox, and says when to look at the task again."""

import asyncio
from collections.abc import Iterable, Mapping

from eventing.publish import Publisher
from eventing.task_events import restored
from shared.errors import Transient
from shared.faults import FaultPoint, reach
from shared.tasks.state import TaskState
from shared.tasks.store import Tasks


class Outbox:
    """Publishes at least once: a crash in between publishes again under the same ids."""

    def __init__(self, tasks: Tasks, publisher: Publisher, *, silence_s: float) -> None:
        self._tasks = tasks
        self._publisher = publisher
        self._silence_s = silence_s

    def next_look(self, state: TaskState, now: float) -> float | None:
        """Return when the watchdog must look at a task that has nothing unpublished."""
        if state.status.final:
            return None
        if state.wake_at is not None:
            return min(state.wake_at, state.deadline_at)
        return min(now + self._silence_s, state.deadline_at)

    async def flush(self, state: TaskState, bodies: Mapping[str, str], now: float,
                    known: Iterable[str] = ()) -> None:
        """Publish the events and forget them; `bodies` is id → structured JSON.

        `known` are events that must have arrived, since what they lead to is there: they are
        forgotten without being published again.

        Raises:
            Transient: the broker or Redis is away; what is left is published later.
            Permanent: the broker refuses an event.
        """
        if not bodies and not known:
            return
        await self._all([*bodies.values()])
        await reach(FaultPoint.AFTER_PUBLISH)
        await self._tasks.published(state, [*bodies, *known], self.next_look(state, now))

    async def _all(self, bodies: list[str]) -> None:
        if len(bodies) == 1:
            return await self._one(bodies[0])
        told = await asyncio.gather(*map(self._one, bodies), return_exceptions=True)
        failures = [one for one in told if isinstance(one, BaseException)]
        # What may succeed later is told first: a refusal then shows itself at the next attempt.
        for failure in sorted(failures, key=lambda one: not isinstance(one, Transient)):
            raise failure
        return None

    async def _one(self, body: str) -> None:
        await self._publisher.publish(restored(body))
        await reach(FaultPoint.BETWEEN_PUBLISHES)
