"""Writes the lists of days anew where an earlier release kept events, from the sums of places.

Releases that kept no such lists kept no versions of days either: what the versions leave over of
all events tells that there is something to recount, also after a release was taken
back for a while.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from math import ceil
from pathlib import Path
from time import monotonic
from typing import Any

from functions.costs import keys
from functions.costs.sums.kept import KeptSums
from functions.costs.sums.naming import DAY_DIGITS, day_of_number, place_dimensions
from shared.errors import Transient
from shared.store import Redis, Script, mapped

_RECOUNT = Script(Path(__file__).parent / "recount.lua")

LOCK_S = 30
"""Renewed while it goes on; who was killed at it is succeeded after that."""

TOLD_EVERY_S = 1.0
"""How often it is said how far it is."""

TRIES_MAX = 8
"""Events of one session that come meanwhile."""

READ_AT_ONCE = 100
"""Places without a session per script call: some milliseconds of Redis's time."""

SCANNED = 1_000


class Recount:
    """Keeps the lists of days whole."""

    def __init__(self, redis: Redis, kept: KeptSums) -> None:
        self._redis: Any = redis
        self._kept = kept

    async def ensure(self, tenant: str) -> None:
        """Return once every event is in the lists; for nearly all tenants it is, at once.

        Raises:
            Transient: another process is at it, and how far: a million events take half a minute.
        """
        versions = await self._kept.versions(tenant)
        with mapped():
            done = await self._redis.get(keys.of(tenant, "recounted"))
        if versions.unversioned == int(done or 0):
            return
        async with _alone(self._redis, tenant) as progress:
            await self._all(tenant, progress)
            with mapped():
                await self._redis.set(keys.of(tenant, "recounted"), versions.unversioned)

    async def _all(self, tenant: str, progress: "_Progress") -> None:
        done: set[str] = set()
        async for sessions in self._sessions(tenant):
            for session in sessions - done:
                await self._session(tenant, session, progress)
            done |= sessions

    async def _sessions(self, tenant: str) -> AsyncIterator[set[str]]:
        cursor = None
        while cursor != 0:
            with mapped():
                cursor, found = await self._redis.hscan(
                    keys.of(tenant, "named"), cursor or 0, count=SCANNED)
            yield {place_dimensions(name)["session"] or "" for name in found.values()}

    async def _session(self, tenant: str, session: str, progress: "_Progress") -> None:
        for _ in range(TRIES_MAX):
            with mapped():
                numbers = sorted(await self._redis.smembers(keys.by(tenant, "session", session)))
            at_once = len(numbers) if session else READ_AT_ONCE
            parts = [numbers[n:n + at_once] for n in range(0, len(numbers), at_once)]
            is_whole = True
            for part in parts:
                is_whole &= await self._places(tenant, session, part)
                await progress.add(len(part))
            if is_whole:
                return
        raise Transient(f"tasks of session {session!r} of {tenant} go on: ask again")

    async def _places(self, tenant: str, session: str, numbers: Sequence[str]) -> bool:
        with mapped():
            names = await self._redis.hmget(keys.of(tenant, "named"), numbers)
            async with self._redis.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.hkeys(keys.place(tenant, name))
                found = await pipe.execute()
        told = sorted({field[:-1] for fields in found for field in fields})
        await self._kept.learn(tenant, {one[DAY_DIGITS:] for one in told})
        known = self._kept.known(tenant)
        agents = {one: known[one[DAY_DIGITS:]]["agent"] or "" for one in told}
        groups = sorted({(one[:DAY_DIGITS], agent) for one, agent in agents.items()})
        outcome = await _RECOUNT(
            self._redis, list(_keys(tenant, session, names, groups)),
            [session, len(names), len(groups),
             *(part for pair in zip(names, numbers, strict=True) for part in pair),
             *(day for day, _ in groups), *_grouped(agents, groups)])
        return bool(outcome == "done")


@asynccontextmanager
async def _alone(redis: Any, tenant: str) -> AsyncIterator["_Progress"]:
    """Hold the tenant's lock, in which stands how far the block has come.

    Raises:
        Transient: another process holds it; says how far it is.
    """
    lock = keys.of(tenant, "recounting")
    with mapped():
        if not await redis.set(lock, "", nx=True, ex=LOCK_S):
            raise Transient(f"the tasks of {tenant} are being counted anew after an update: "
                            + (await redis.get(lock) or "ask again in a minute"))
        count = await redis.hlen(keys.of(tenant, "named"))
    try:
        yield _Progress(redis, lock, count)
    finally:
        with mapped():
            await redis.delete(lock)


class _Progress:
    """How far a recount is; saying it renews the lock."""

    def __init__(self, redis: Any, lock: str, count: int) -> None:
        self._redis, self._lock, self._count = redis, lock, count
        self._done = 0
        self._began_s = self._told_s = monotonic()

    async def add(self, done: int) -> None:
        """Note that so many more tasks are counted."""
        self._done = min(self._done + done, self._count)
        now_s = monotonic()
        if now_s - self._told_s < TOLD_EVERY_S:
            return
        self._told_s = now_s
        left_s = (now_s - self._began_s) * (self._count - self._done) / max(self._done, 1)
        said = f"{self._done} of {self._count} are, ask again in {ceil(left_s) + 1} s"
        with mapped():
            await self._redis.set(self._lock, said, xx=True, ex=LOCK_S)


def _keys(tenant: str, session: str, names: Sequence[str], groups: Sequence[tuple[str, str]],
          ) -> Iterator[str]:
    yield from (keys.of(tenant, "places"), keys.several(tenant, "place"),
                keys.of(tenant, "sessions"), keys.several(tenant, "session"),
                keys.by(tenant, "session", session))
    yield from (keys.place(tenant, name) for name in names)
    for number, agent in groups:
        day = day_of_number(number)
        for what in ("place", "session"):
            yield keys.dear(tenant, what, day)
            yield keys.dear(tenant, what, day, agent)


def _grouped(agents: Mapping[str, str], groups: Sequence[tuple[str, str]]) -> Iterator[str | int]:
    position = {group: n for n, group in enumerate(groups, start=1)}
    for one, agent in agents.items():
        yield from (one, position[one[:DAY_DIGITS], agent])
