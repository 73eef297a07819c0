"""Keeps dead letters in Redis.

| pattern | type | TTL | written by |
|---|---|---|---|
| `dl:{tenant}:l:<key>` | string, a letter as JSON | 14 d after each write | dead letters |
| `dl:{tenant}:all` | zset key → received s | trimmed at 14 d | dead letters |
| `dl:{tenant}:due` | zset key → redrive s | none: empties itself | dead letters |
| `dl:tenants` | set, hint | none | before a tenant's first write |
"""

from typing import Any

from functions.deadletters.letter import Letter
from shared.limits import STATE_TTL_S
from shared.store import Redis, mapped, pipeline

TENANTS = "dl:tenants"


class Shelf:
    """All dead letters in one Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def put(self, letter: Letter) -> None:
        """Store a letter under its key, over an earlier version of itself."""
        tenant, key = letter.tenant, letter.key
        with mapped():
            await self._redis.sadd(TENANTS, tenant)
        async with pipeline(self._redis) as pipe:
            pipe.set(_letter(tenant, key), letter.model_dump_json(), ex=STATE_TTL_S)
            pipe.zadd(_all(tenant), {key: letter.received_at})
            pipe.zremrangebyscore(_all(tenant), "-inf", letter.received_at - STATE_TTL_S)
            if letter.redrive_at is None:
                pipe.zrem(_due(tenant), key)
            else:
                pipe.zadd(_due(tenant), {key: letter.redrive_at})
            await pipe.execute()

    async def get(self, tenant: str, key: str) -> Letter | None:
        """Return the letter, or `None`."""
        with mapped():
            text = await self._redis.get(_letter(tenant, key))
        return Letter.model_validate_json(text) if text else None

    async def page(self, tenant: str, limit: int, skip: int = 0) -> list[Letter]:
        """Return letters, the newest first."""
        with mapped():
            keys: Any = await self._redis.zrevrange(_all(tenant), skip, skip + limit - 1)
        found = [await self.get(tenant, key) for key in keys]
        return [letter for letter in found if letter is not None]

    async def due(self, now: float) -> list[Letter]:
        """Return the letters whose redrive is due."""
        letters: list[Letter] = []
        with mapped():
            tenants: Any = await self._redis.smembers(TENANTS)
            for tenant in sorted(tenants):
                keys: Any = await self._redis.zrangebyscore(_due(tenant), "-inf", now)
                letters += [found for key in keys if (found := await self.get(tenant, key))]
        return letters


def _letter(tenant: str, key: str) -> str:
    return f"dl:{{{tenant}}}:l:{key}"


def _all(tenant: str) -> str:
    return f"dl:{{{tenant}}}:all"


def _due(tenant: str) -> str:
    return f"dl:{{{tenant}}}:due"
