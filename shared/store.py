"""Opens Redis and runs Lua scripts: the one home of the `redis` package.

Every script is a `.lua` file called by EVALSHA with all its keys declared (ADR 0004).
"""

import hashlib
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)

from shared.errors import TollgateError, Transient
from shared.limits import REDIS_CONNECTIONS_MAX, REDIS_TIMEOUT_S

__all__ = ["Redis", "Script", "Unavailable", "connect", "mapped", "pipeline", "refuse_eviction"]

Value = str | bytes | int | float

PASSING = re.compile(
    r"(^|: -)(OOM|READONLY|LOADING|BUSY|MASTERDOWN|MISCONF|NOREPLICAS|CLUSTERDOWN)")
"""How Redis begins an answer that a later try may change. Inside a script Redis 6.2 puts it behind
the place in the script; of some the client makes classes of their own and drops the word."""


class Unavailable(Transient):
    """Redis did not answer, is loading, is full, or is read-only."""

    title = "State store unavailable"


class Evicting(TollgateError):
    """Redis may throw state away; refusing to start is the only safe answer."""

    title = "State store evicts"


@contextmanager
def mapped() -> Iterator[None]:
    """Turn the package's errors into ours.

    Raises:
        Unavailable: the server is away, full or read-only.
        TollgateError: the server refused a command: a bug.
    """
    try:
        yield
    except NoScriptError:
        raise
    except ResponseError as error:
        text = str(error)
        if isinstance(error, OutOfMemoryError | ReadOnlyError) or PASSING.search(text):
            raise Unavailable(f"Redis: {text}") from error
        raise TollgateError(f"Redis refused a command: {text}") from error
    except (RedisError, OSError, TimeoutError) as error:
        raise Unavailable(f"Redis does not answer: {error}") from error


class Script:
    """One Lua file, called by its hash; Redis gets the text only when it does not know it."""

    def __init__(self, path: Path) -> None:
        self._text = path.read_text()
        self._sha = hashlib.sha1(self._text.encode(), usedforsecurity=False).hexdigest()

    async def __call__(self, redis: Redis, keys: Sequence[str], args: Sequence[Value]) -> Any:
        """Run the script; replies are `str`, `int`, `None` or lists of these.

        Raises:
            Unavailable: Redis is away; whether the script ran is unknown.
        """
        with mapped():
            try:
                return await redis.evalsha(self._sha, len(keys), *keys, *args)
            except NoScriptError:
                await redis.script_load(self._text)
                return await redis.evalsha(self._sha, len(keys), *keys, *args)


    async def each(self, redis: Redis,
                   calls: Sequence[tuple[Sequence[str], Sequence[Value]]]) -> list[Any]:
        """Run the script for every (keys, arguments) in one round trip, each by itself.

        Raises:
            Unavailable: Redis is away; which of them ran is unknown.
        """
        with mapped():
            try:
                return await self._sent(redis, calls)
            except NoScriptError:  # then none of them ran
                await redis.script_load(self._text)
                return await self._sent(redis, calls)

    async def _sent(self, redis: Redis,
                    calls: Sequence[tuple[Sequence[str], Sequence[Value]]]) -> list[Any]:
        async with redis.pipeline(transaction=False) as pipe:
            for keys, args in calls:
                pipe.evalsha(self._sha, len(keys), *keys, *args)
            return list(await pipe.execute())


def connect(url: str, timeout_s: float = REDIS_TIMEOUT_S) -> Redis:
    """Return a client whose pool waits for a free connection; nothing is sent yet.

    A command that meets a dead connection is sent once more, so it fails after 2 × `timeout_s`.
    """
    pool = BlockingConnectionPool.from_url(
        url, max_connections=REDIS_CONNECTIONS_MAX, timeout=timeout_s,
        socket_timeout=timeout_s, socket_connect_timeout=timeout_s,
        decode_responses=True, retry=Retry(NoBackoff(), 1), retry_on_error=[ConnectionError],
    )
    return Redis.from_pool(pool)


async def refuse_eviction(redis: Redis) -> None:
    """Check that Redis never throws keys away by itself.

    Raises:
        Evicting: `maxmemory-policy` is not `noeviction`.
        Unavailable: Redis is away.
    """
    with mapped():
        found = await redis.config_get("maxmemory-policy")
    policy = found.get("maxmemory-policy", "noeviction")
    if policy != "noeviction":
        raise Evicting(f"maxmemory-policy is {policy}: set it to noeviction, or spend is forgotten")


@asynccontextmanager
async def pipeline(redis: Redis) -> AsyncIterator[Any]:
    """Yield a MULTI/EXEC pipeline whose errors are mapped."""
    with mapped():
        async with redis.pipeline(transaction=True) as pipe:
            yield pipe


