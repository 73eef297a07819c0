"""Ranks and counts the places and sessions of a span of days, each of them once.

Days keep lists by cost. What was met on one day only, as nearly all are, is in one list; the few of
several days are kept apart with their days, so that lists are merged and counted exactly.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Literal

from functions.costs import keys
from functions.costs.questions.ranges import day_start_ms
from functions.costs.sums.naming import day_number
from functions.costs.sums.recount import Recount
from shared.store import Redis, mapped

FIRST_READ = 64
"""Members read of each day at first; four times as many whenever they are not enough."""


@dataclass(frozen=True, slots=True)
class Days:
    """Which lists are meant."""

    tenant: str
    what: Literal["place", "session"]
    days: Sequence[str]
    """UTC days, all of them whole."""
    agent: str | None = None
    """Only what this agent did."""

    def key(self, day: str) -> str:
        """Return the key of a day's list."""
        agent = () if self.agent is None else (self.agent,)
        return keys.dear(self.tenant, self.what, day, *agent)


class Dear:
    """The lists of one Redis, whole whichever release wrote them."""

    def __init__(self, redis: Redis, recount: Recount) -> None:
        self._redis: Any = redis
        self._recount = recount

    async def ranked(self, of: Days) -> AsyncIterator[tuple[str, float]]:
        """Yield every member with its cost over all of the days, the dearest first."""
        await self._recount.ensure(of.tenant)
        repeated = await self._repeated(of)
        costs = await self._costs(of, repeated)
        told: set[str] = set()
        start, length = 0, FIRST_READ
        while of.days:
            lists = await self._slices(of, start, length)
            costs |= {member: cost for each in lists for member, cost in each
                      if member not in repeated}
            bound = max((each[-1][1] for each in lists if len(each) == length), default=-inf)
            for member, cost in sorted(costs.items(), key=lambda one: -one[1]):
                if cost < bound:
                    break
                if member not in told:
                    told.add(member)
                    yield member, cost
            if bound == -inf:
                return
            start, length = start + length, length * 4

    async def count(self, of: Days, without: Sequence[str] = ()) -> int:
        """Return how many members there are; those of `without` are left out."""
        await self._recount.ensure(of.tenant)
        with mapped():
            async with self._redis.pipeline(transaction=False) as pipe:
                for day in of.days:
                    pipe.zcard(of.key(day))
                cards: list[int] = await pipe.execute()
        left_out = await self._scores(of, dict.fromkeys(without, of.days))
        several = await self._repeated(of)
        scores = await self._scores(of, {m: d for m, d in several.items() if m not in set(without)})
        return (sum(cards) - sum(map(len, left_out.values()))
                - sum(len(each) - 1 for each in scores.values() if each))

    async def listed(self, of: Days, members: Sequence[str]) -> int:
        """Return how many of these are on any of the days' lists."""
        await self._recount.ensure(of.tenant)
        scores = await self._scores(of, dict.fromkeys(members, of.days))
        return sum(1 for each in scores.values() if each)

    async def members(self, of: Days, most: int) -> list[str] | None:
        """Return all members; `None` if there are more than `most`."""
        if await self.count(of) > most:
            return None
        with mapped():
            async with self._redis.pipeline(transaction=False) as pipe:
                for day in of.days:
                    pipe.zrange(of.key(day), 0, -1)
                return list({member for each in await pipe.execute() for member in each})

    async def _repeated(self, of: Days) -> Mapping[str, Sequence[str]]:
        """Return the members that are on several of the days, with these."""
        with mapped():
            found = await self._redis.hgetall(keys.several(of.tenant, of.what))
        names = {day_number(day_start_ms(day)): day for day in of.days}
        each = {member: [names[day] for day in days.split() if day in names]
                for member, days in found.items()}
        return {member: days for member, days in each.items() if len(days) > 1}

    async def _costs(self, of: Days, repeated: Mapping[str, Sequence[str]]) -> dict[str, float]:
        scores = await self._scores(of, repeated)
        return {member: sum(each) for member, each in scores.items() if each}

    async def _scores(self, of: Days, wanted: Mapping[str, Sequence[str]],
                      ) -> dict[str, list[float]]:
        """Return the costs of members, one for each of their days on which they are listed."""
        by_day: dict[str, list[str]] = {}
        for member, days in wanted.items():
            for day in days:
                by_day.setdefault(day, []).append(member)
        with mapped():
            async with self._redis.pipeline(transaction=False) as pipe:
                for day, members in by_day.items():
                    pipe.zmscore(of.key(day), members)
                answers = await pipe.execute()
        found: dict[str, list[float]] = {member: [] for member in wanted}
        for members, scores in zip(by_day.values(), answers, strict=True):
            for member, score in zip(members, scores, strict=True):
                if score is not None:
                    found[member].append(float(score))
        return found

    async def _slices(self, of: Days, start: int, length: int) -> list[list[tuple[str, float]]]:
        with mapped():
            async with self._redis.pipeline(transaction=False) as pipe:
                for day in of.days:
                    pipe.zrange(of.key(day), start, start + length - 1, desc=True, withscores=True)
                return list(await pipe.execute())
