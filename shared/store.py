"""Opens Redis and runs Lua scripts: with `redis_wire` the one home of the `redis` package.

Every script is a `.lua` file called by EVALSHA with all its keys declared (ADR 0004).
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    DataError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)

from shared.errors import TollgateError, Transient
from shared.limits import REDIS_CONNECTIONS_MAX, REDIS_TIMEOUT_S
from shared.redis_wire import Lane, Packing, Value

__all__ = ["Redis", "Script", "Unavailable", "Value", "connect", "mapped", "pipeline",
           "refuse_eviction"]

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


class _Mapped:
    """Without state, since it surrounds every command."""

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        """Raise what stands for the error."""
        match error:
            case None | NoScriptError():
                return
            case DataError():
                raise TollgateError(f"Redis has no form for a value: {error}") from error
            case ResponseError():
                text = str(error)
                if isinstance(error, OutOfMemoryError | ReadOnlyError) or PASSING.search(text):
                    raise Unavailable(f"Redis: {text}") from error
                raise TollgateError(f"Redis refused a command: {text}") from error
            case RedisError() | OSError() | TimeoutError():
                raise Unavailable(f"Redis does not answer: {error}") from error


_MAPPED = _Mapped()


def mapped() -> _Mapped:
    """Turn the package's errors inside the block into ours.

    Raises:
        Unavailable: the server is away, full or read-only.
        TollgateError: the server refused a command: a bug.
    """
    return _MAPPED


_lanes: WeakKeyDictionary[Redis, Lane] = WeakKeyDictionary()


class Script:
    """One Lua file, called by its hash; Redis gets the text only when it does not know it.

    What several files begin with stands in one of their own and is put `before` each.
    """

    def __init__(self, path: Path, before: str = "") -> None:
        self._text = before + path.read_text()
        self._sha = hashlib.sha1(self._text.encode(), usedforsecurity=False).hexdigest()

    async def __call__(self, redis: Redis, keys: Sequence[str], args: Sequence[Value]) -> Any:
        """Run the script; replies are `str`, `int`, `None` or lists of these.

        Raises:
            Unavailable: Redis is away; whether the script ran is unknown.
        """
        with mapped():
            try:
                return await self._run(redis, keys, args)
            except NoScriptError:
                return await self._loaded(redis, keys, args)

    async def _loaded(self, redis: Redis, keys: Sequence[str], args: Sequence[Value]) -> Any:
        await redis.script_load(self._text)
        try:
            return await self._run(redis, keys, args)
        except NoScriptError as error:
            raise Unavailable("Redis forgot a script in the moment it had it") from error

    async def _run(self, redis: Redis, keys: Sequence[str], args: Sequence[Value]) -> Any:
        if not isinstance(redis, Redis):  # a cluster's client, which knows where each key is
            return await redis.evalsha(self._sha, len(keys), *keys, *args)
        if (lane := _lanes.get(redis)) is None:
            lane = _lanes[redis] = Lane()
        return await lane.ask(redis, ("EVALSHA", self._sha, len(keys), *keys, *args))

    async def each(self, redis: Redis,
                   calls: Sequence[tuple[Sequence[str], Sequence[Value]]]) -> list[Any]:
        """Run the script for every (keys, arguments) in one round trip, each by itself.

        Raises:
            Unavailable: Redis is away; which of them ran is unknown.
        """
        return await asyncio.gather(*(self(redis, keys, args) for keys, args in calls))


def connect(url: str, timeout_s: float = REDIS_TIMEOUT_S, *, copies: int = 0) -> Redis:
    """Return a client whose pool waits for a free connection; nothing is sent yet.

    A script is answered once `copies` replicas have what it wrote (ADR 0036).

    A command that meets a dead connection is sent once more, so it fails after 2 × `timeout_s`.
    """
    pool = BlockingConnectionPool.from_url(
        url, max_connections=REDIS_CONNECTIONS_MAX, timeout=timeout_s,
        socket_timeout=timeout_s, socket_connect_timeout=timeout_s,
        decode_responses=True, retry=Retry(NoBackoff(), 1), retry_on_error=[ConnectionError],
    )
    plain = pool.connection_class
    pool.connection_class = type(plain.__name__, (Packing, plain), {})
    redis = Redis.from_pool(pool)
    _lanes[redis] = Lane(copies)
    return redis


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


