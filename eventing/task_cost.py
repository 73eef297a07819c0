"""Says what a task cost when it ends: what the ledger posted, wherever it can be asked."""

import logging

from shared.clock import Clock
from shared.errors import TollgateError
from shared.metering import Meter
from shared.tasks.state import TaskState

log = logging.getLogger(__name__)
AWAY_S = 5.0
"""For so long a ledger that did not answer is not asked again: many tasks may end at once."""


class Posted:
    """Asks the ledger; whoever ends a task has one."""

    def __init__(self, meter: Meter, clock: Clock) -> None:
        self._meter, self._clock = meter, clock
        self._away_until = 0.0

    async def of(self, state: TaskState) -> int | None:
        """Return the nano-USD posted for a task and its sub-tasks; `None` if that is unknown now.

        Then the cost is what the agent was told: too low by what it was not told any more.
        """
        if self._clock() < self._away_until:
            return None
        try:
            return (await self._meter.usage(state.task.id, state.grant)).posted_nano
        except TollgateError as error:
            self._away_until = self._clock() + AWAY_S
            log.warning("the cost of task %s is what its agent was told: %s", state.task.id,
                        error.detail)
            return None
