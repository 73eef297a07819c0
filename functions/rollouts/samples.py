"""Keeps what is known of running rollouts in Redis; bounded, and gone by itself."""

from pathlib import Path
from typing import Any

from functions.rollouts import keys
from functions.rollouts.facts import Fact
from shared.limits import ROLLOUT_FIELDS_MAX, ROLLOUT_LOOK_EVERY_S
from shared.store import Redis, Script, mapped

_RECORD = Script(Path(__file__).parent / "lua" / "record.lua")


class Samples:
    """Facts of all rollouts, each in a hash of its own."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def record(self, rollout: str, fact: Fact) -> None:
        """Keep a fact; the same one again, or one too many, changes nothing.

        Raises:
            Unavailable: Redis is away; deliver the event again.
        """
        await _RECORD(self._redis, [keys.facts(rollout)],
                      [*fact, ROLLOUT_FIELDS_MAX, keys.FACTS_TTL_S])

    async def known(self, rollout: str) -> dict[str, str]:
        """Return all facts of a rollout."""
        with mapped():
            found: Any = await self._redis.hgetall(keys.facts(rollout))
        return dict(found)

    async def is_time(self, rollout: str) -> bool:
        """Tell whether nobody looked for a while; the asker is then the one who looks."""
        with mapped():
            return bool(await self._redis.set(keys.look(rollout), "1", nx=True,
                                              px=int(ROLLOUT_LOOK_EVERY_S * 1000)))
