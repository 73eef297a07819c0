"""Answers questions about sessions, tasks and roots from the sums of places.

A place is a task in a session under a root. There are as many as tasks, so a question says which
it means: by a filter, by a span with few of them, or by asking for the dearest only.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from functions.costs import keys
from functions.costs.dimensions import BUCKETS, FINE
from functions.costs.kept import Adding, KeptSums
from functions.costs.question import Question
from functions.costs.ranges import day_start_ms, hours_of, pieces
from functions.costs.report import Row
from functions.costs.storing import DAY_DIGITS, day_number
from shared.errors import Permanent
from shared.limits import COST_PLACES_MAX
from shared.store import Redis, mapped

READ_AT_ONCE = 1_000
"""Places per round trip: some 10 ms of Redis's time."""


class Places:
    """The sums of places by day."""

    def __init__(self, redis: Redis, kept: KeptSums) -> None:
        self._redis: Any = redis
        self._kept = kept

    async def rows(self, tenant: str, question: Question, days: Sequence[str],
                   ) -> tuple[list[Row], tuple[str, ...]]:
        """Return the rows of the whole days of a span, and the hours left to read by event.

        Raises:
            Permanent: more than `COST_PLACES_MAX` tasks would have to be read.
        """
        if question.finest == "hour":
            touched = (hour for day in filter(question.span.touches, days)
                       for hour in hours_of(day))
            return [], tuple(filter(question.span.touches_hour, touched))
        numbers = await self._numbers(tenant, question, days)
        whole = [day for day in days if question.span.covers(day)]
        rows = await self.sums(tenant, numbers, question, whole)
        cut = (day for day in days if question.span.touches(day) and day not in set(whole))
        return rows, tuple(hour for day in cut for hour in hours_of(day)
                           if question.span.touches_hour(hour))

    async def sums(self, tenant: str, numbers: Sequence[str], question: Question,
                   days: Iterable[str]) -> list[Row]:
        """Return the rows of these places over these days."""
        wanted = {day_number(day_start_ms(day)): day for day in days}
        adding = Adding.of(question)
        for start in range(0, len(numbers), READ_AT_ONCE):
            await self._add(tenant, numbers[start:start + READ_AT_ONCE], adding, wanted)
        same = {"tenant": tenant} if "tenant" in question.group_by else {}
        return adding.rows(same)

    async def _add(self, tenant: str, numbers: Sequence[str], adding: Adding,
                   days: dict[str, str]) -> None:
        names = await self.names(tenant, numbers)
        with mapped():
            async with self._redis.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.hgetall(keys.place(tenant, name))
                found = await pipe.execute()
        await self._kept.learn(tenant, {f[DAY_DIGITS:-1] for kept in found for f in kept})
        apart = not set(BUCKETS).isdisjoint(adding.question.group_by)
        for name, kept in zip(names, found, strict=True):
            for day, amounts in _by_day(kept, days, apart=apart).items():
                self._kept.collect(tenant, amounts, adding, label=day, fixed=dimensions(name))

    async def names(self, tenant: str, numbers: Sequence[str]) -> list[str]:
        """Return the names of places by number."""
        if not numbers:
            return []
        with mapped():
            return list(await self._redis.hmget(keys.of(tenant, "named"), list(numbers)))

    async def _numbers(self, tenant: str, question: Question, days: Sequence[str]) -> list[str]:
        fixed = [(name, question.filters[name]) for name in FINE if name in question.filters]
        if fixed:
            with mapped():
                found = await self._redis.sinter([keys.by(tenant, *each) for each in fixed])
            _fitting(len(found))
            return sorted(found, key=int)
        labels = pieces(question.span, days, "month").whole
        dear = [keys.dear(tenant, label) for label in labels if len(label) <= len("2026-11-21")]
        return await self._all(dear)

    async def _all(self, dear: Sequence[str]) -> list[str]:
        if not dear:
            return []
        with mapped():
            async with self._redis.pipeline(transaction=False) as pipe:
                for key in dear:
                    pipe.zcard(key)
                _fitting(max(await pipe.execute()))
                for key in dear:
                    pipe.zrange(key, 0, -1)
                each = await pipe.execute()
        found = {number for numbers in each for number in numbers}
        _fitting(len(found))
        return sorted(found, key=int)

    async def dearest(self, tenant: str, question: Question, days: Sequence[str]) -> list[Row]:
        """Return the `limit` dearest places of whole days, by task.

        Reads the lists of days and months from their dear ends until no place further down can
        be dearer than those found (the threshold algorithm; costs below 0 count as 0).

        Raises:
            Permanent: the filters pass so few tasks that too many must be read to find them.
        """
        labels = pieces(question.span, days, "month").whole
        dear = [keys.dear(tenant, label) for label in labels if len(label) <= len("2026-11-21")]
        whole = [day for day in days if question.span.covers(day)]
        depth = 2 * question.limit
        while dear:
            found, bound, is_all = await self._top(dear, depth)
            rows = await self.sums(tenant, found, question, whole)
            rows.sort(key=lambda row: -row.sums.cost_nano)
            enough = len(rows) >= question.limit
            if is_all or (enough and rows[question.limit - 1].sums.cost_nano >= bound):
                return rows[:question.limit]
            _fitting(depth)
            depth *= 4
        return []

    async def _top(self, dear: Sequence[str], depth: int) -> tuple[list[str], float, bool]:
        with mapped():
            async with self._redis.pipeline(transaction=False) as pipe:
                for key in dear:
                    pipe.zrange(key, 0, depth - 1, desc=True, withscores=True)
                lists = await pipe.execute()
        found = dict.fromkeys(number for each in lists for number, _ in each)
        bound = sum(max(each[-1][1], 0) for each in lists if len(each) == depth)
        return list(found), bound, all(len(each) < depth for each in lists)


def dimensions(name: str) -> dict[str, str | None]:
    """Return the dimensions of a place by its name."""
    task, session, *root = json.loads(name)
    return {"task": task, "session": session, "root": root[0] if root else task}


def _by_day(kept: dict[str, str], days: dict[str, str], *, apart: bool,
            ) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for field, amount in kept.items():
        day = days.get(field[:DAY_DIGITS])
        if day is not None:
            found.setdefault(day if apart else "", []).append((field[DAY_DIGITS:], amount))
    return found


def _fitting(count: int) -> None:
    if count > COST_PLACES_MAX:
        raise Permanent(
            f"more than {COST_PLACES_MAX} tasks would have to be read: narrow from and to, filter "
            "by session, task or root, or ask GET /v1/tasks for the dearest")
