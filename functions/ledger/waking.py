"""Tells paused tasks that their tenant's budgets are other ones now."""

import logging

from eventing.publish import Publisher
from functions.ledger.store import Store
from shared.limits import LIST_PAGE_MAX, PAUSED_WOKEN_MAX

log = logging.getLogger(__name__)
REASON = "the budget was changed"


class Waking:
    """Publishes `task.resumed`; an agent that finds no room pauses its task again."""

    def __init__(self, store: Store, publisher: Publisher) -> None:
        self._store, self._publisher = store, publisher
        self._due: set[str] = set()

    def soon(self, tenant: str) -> None:
        """Have the tenant's paused tasks woken by the next `go`."""
        self._due.add(tenant)

    async def go(self) -> int:
        """Wake the paused tasks of every tenant that is due; return how many.

        Raises:
            TollgateError: the broker or Redis is away; the tenant stays due.
        """
        count = 0
        for tenant in sorted(self._due):
            count += await self._woken(tenant)
            self._due.discard(tenant)
        return count

    async def _woken(self, tenant: str) -> int:
        from eventing.task_events import resumed  # rare, and slow to import
        from shared.tasks.contract import Status
        from shared.tasks.reading import Query, Reader

        reader, count, cursor = Reader(self._store.redis), 0, None
        while count < PAUSED_WOKEN_MAX:
            states, cursor = await reader.page(tenant, Query(
                status=Status.PAUSED, limit=LIST_PAGE_MAX, cursor=cursor))
            for state in states:
                await self._publisher.publish(resumed(state, REASON))
            count += len(states)
            if cursor is None:
                break
        if count:
            log.info("%d paused tasks of tenant %s were woken", count, tenant)
        return count
