"""Finds what the watchdog must look after."""

from typing import Any

from shared.store import Redis, mapped
from shared.tasks import keys

OVERDUE_MAX = 1000
"""Tasks of one tenant that one round looks after; the next round takes the rest."""


class Overdue:
    """The due times of all tenants in one Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def tenants(self) -> list[str]:
        """Return the tenants that may have tasks."""
        with mapped():
            found: Any = await self._redis.smembers(keys.TENANTS)
        return sorted(found)

    async def tasks(self, tenant: str, now: float) -> list[str]:
        """Return the ids of tasks whose time has come, the longest overdue first."""
        with mapped():
            found: Any = await self._redis.zrangebyscore(
                keys.due(tenant), "-inf", now, start=0, num=OVERDUE_MAX)
        return list(found)

    async def forget(self, tenant: str, task_id: str) -> None:
        """Stop looking after a task."""
        with mapped():
            await self._redis.zrem(keys.due(tenant), task_id)
