"""Tells paused tasks that their tenant's budgets are other ones now."""

import logging

from eventing.publish import Publisher
from eventing.task_events import resumed
from functions.ledger.store import Store
from shared.errors import TollgateError
from shared.limits import LIST_PAGE_MAX
from shared.tasks.contract import Status
from shared.tasks.reading import Query, Reader

log = logging.getLogger(__name__)
REASON = "the budget was changed"


class Waking:
    """Publishes `task.resumed`; an agent that finds no room pauses its task again."""

    def __init__(self, store: Store, publisher: Publisher) -> None:
        self._reader = Reader(store.redis)
        self._publisher = publisher

    async def wake(self, tenant: str) -> int:
        """Wake the tenant's paused tasks, at most one page; return how many.

        What cannot be told now wakes by itself: a paused task looks again in any case.
        """
        try:
            return await self._woken(tenant)
        except TollgateError as error:
            log.warning("paused tasks of tenant %s wake by themselves: %s", tenant, error.detail)
            return 0

    async def _woken(self, tenant: str) -> int:
        query = Query(status=Status.PAUSED, limit=LIST_PAGE_MAX)
        states, _ = await self._reader.page(tenant, query)
        for state in states:
            await self._publisher.publish(resumed(state, REASON))
        return len(states)
