"""Writes the lists of days anew where an earlier release kept events, from the sums of places.

Releases that kept no such lists kept no versions of days either: what the versions leave over of
all events tells that there is something to recount, also after a release was taken
back for a while.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from functions.costs import keys
from functions.costs.sums.kept import KeptSums
from functions.costs.sums.naming import DAY_DIGITS, day_of_number, place_dimensions
from shared.errors import Transient
from shared.store import Redis, Script, mapped

_RECOUNT = Script(Path(__file__).parent / "recount.lua")

LOCK_S = 300
"""Several times what a million events take; who was killed at it is succeeded after that."""

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
            Transient: another process is at it: some 45 s of processor time a million events.
        """
        versions = await self._kept.versions(tenant)
        with mapped():
            done = await self._redis.get(keys.of(tenant, "recounted"))
        if versions.unversioned == int(done or 0):
            return
        lock = keys.of(tenant, "recounting")
        with mapped():
            if not await self._redis.set(lock, "1", nx=True, ex=LOCK_S):
                raise Transient(f"the tasks of {tenant} are being counted anew after an update: "
                                "ask again in a minute")
        try:
            await self._all(tenant)
            with mapped():
                await self._redis.set(keys.of(tenant, "recounted"), versions.unversioned)
        finally:
            with mapped():
                await self._redis.delete(lock)

    async def _all(self, tenant: str) -> None:
        done: set[str] = set()
        async for sessions in self._sessions(tenant):
            for session in sessions - done:
                await self._session(tenant, session)
            done |= sessions

    async def _sessions(self, tenant: str) -> AsyncIterator[set[str]]:
        cursor = None
        while cursor != 0:
            with mapped():
                cursor, found = await self._redis.hscan(
                    keys.of(tenant, "named"), cursor or 0, count=SCANNED)
            yield {place_dimensions(name)["session"] or "" for name in found.values()}

    async def _session(self, tenant: str, session: str) -> None:
        for _ in range(TRIES_MAX):
            with mapped():
                numbers = sorted(await self._redis.smembers(keys.by(tenant, "session", session)))
            at_once = len(numbers) if session else READ_AT_ONCE
            parts = [numbers[n:n + at_once] for n in range(0, len(numbers), at_once)]
            if all([await self._places(tenant, session, part) for part in parts]):
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
        agents = {one: self._kept.known[tenant][one[DAY_DIGITS:]]["agent"] or "" for one in told}
        groups = sorted({(one[:DAY_DIGITS], agent) for one, agent in agents.items()})
        outcome = await _RECOUNT(
            self._redis, list(_keys(tenant, session, names, groups)),
            [session, len(names), len(groups),
             *(part for pair in zip(names, numbers, strict=True) for part in pair),
             *(day for day, _ in groups), *_grouped(agents, groups)])
        return bool(outcome == "done")


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
