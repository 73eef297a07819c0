"""Tells paused tasks that their tenant's budgets are other ones now."""

import logging
from typing import Any

from eventing.publish import Publisher
from functions.ledger import keys
from functions.ledger.store import Store
from shared.limits import LIST_PAGE_MAX, PAUSED_WOKEN_MAX
from shared.store import mapped

log = logging.getLogger(__name__)
REASON = "the budget was changed"


class Waking:
    """Publishes `task.resumed`; an agent that finds no room pauses its task again.

    That tasks are to be told is written with what they are told of: no ledger takes it along when
    it dies.
    """

    def __init__(self, store: Store, publisher: Publisher) -> None:
        self._store, self._publisher = store, publisher

    async def go(self, tenant: str) -> int:
        """Wake a tenant's paused tasks if they are to be told; return how many. At least once.

        Raises:
            TollgateError: the broker or Redis is away; the next call tells them.
        """
        key, redis = keys.wake(tenant), self._store.redis
        with mapped():
            version: Any = await redis.get(key)
        if version is None:
            return 0
        count = await self._woken(tenant)
        await self._store.run_one("woken", [key], [version])
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
