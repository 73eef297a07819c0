"""Answers questions about sessions, tasks and roots from the sums of places.

A place is a task in a session under a root. There are as many as tasks, so a question says which
it means: by a filter, by a span with few of them, or by asking for the dearest only.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from functions.costs import keys
from functions.costs.questions.dimensions import BUCKETS, FINE
from functions.costs.questions.question import Question
from functions.costs.questions.ranges import day_start_ms, hours_of
from functions.costs.questions.rows import Row
from functions.costs.sums.adding import Adding, amounts_of
from functions.costs.sums.dear import Days, Dear
from functions.costs.sums.kept import KeptSums
from functions.costs.sums.naming import DAY_DIGITS, day_number, place_dimensions
from functions.costs.sums.recount import Recount
from shared.errors import Permanent
from shared.limits import COST_PLACES_MAX
from shared.store import Redis, mapped


class TooMany(Permanent):
    """A question for which more than `COST_PLACES_MAX` tasks would have to be read."""

    def __init__(self) -> None:
        super().__init__(
            f"more than {COST_PLACES_MAX} tasks would have to be read: narrow from and to, filter "
            "by session, task or root, or ask GET /v1/tasks for the dearest")


READ_AT_ONCE = 1_000
"""Places per round trip: some 10 ms of Redis's time."""


class Places:
    """The sums of places by day."""

    def __init__(self, redis: Redis, kept: KeptSums) -> None:
        self._redis: Any = redis
        self._kept = kept
        self.dear = Dear(redis, Recount(redis, kept))

    async def rows(self, tenant: str, question: Question, days: Sequence[str],
                   ) -> tuple[list[Row], tuple[str, ...]]:
        """Return the rows of the whole days of a span, and the hours left to read by event.

        Raises:
            TooMany: more than `COST_PLACES_MAX` tasks would have to be read.
        """
        if question.zoned or question.finest == "hour":
            touched = (hour for day in filter(question.span.touches, days)
                       for hour in hours_of(day))
            return [], tuple(filter(question.span.touches_hour, touched))
        numbers = await self._numbers(tenant, question, days)
        whole = [day for day in days if question.span.covers(day)]
        rows = await self.sums(tenant, numbers, question, whole)
        cut = (day for day in filter(question.span.touches, days) if not question.span.covers(day))
        return rows, tuple(hour for day in cut for hour in hours_of(day)
                           if question.span.touches_hour(hour))

    async def sums(self, tenant: str, numbers: Sequence[str], question: Question,
                   days: Iterable[str]) -> list[Row]:
        """Return the rows of these places over these days."""
        wanted = {day_number(day_start_ms(day)): day for day in days}
        adding = Adding(question)
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
        known = self._kept.known(tenant)
        apart = not set(BUCKETS).isdisjoint(adding.question.group_by)
        for name, kept in zip(names, found, strict=True):
            for day, amounts in _by_day(kept, days, apart=apart).items():
                adding.add_of(amounts_of(amounts), known, place_dimensions(name), at=day)

    async def names(self, tenant: str, numbers: Sequence[str]) -> list[str]:
        """Return the names of places by number."""
        if not numbers:
            return []
        with mapped():
            return list(await self._redis.hmget(keys.of(tenant, "named"), list(numbers)))

    async def _numbers(self, tenant: str, question: Question, days: Sequence[str]) -> list[str]:
        if not set(FINE).isdisjoint(question.filters):
            found = await self.by(tenant, question.filters)
            bound(len(found))
        else:
            whole = [day for day in days if question.span.covers(day)]
            listed = await self.dear.members(
                Days(tenant, "place", whole, question.filters.get("agent")), COST_PLACES_MAX)
            if listed is None:
                raise TooMany
            found = listed
        return sorted(found, key=int)

    async def by(self, tenant: str, filters: Mapping[str, str]) -> list[str]:
        """Return the places that all of these sessions, tasks and roots have."""
        each = [keys.by(tenant, name, filters[name]) for name in FINE if name in filters]
        with mapped():
            return list(await self._redis.sinter(each))

    async def dearest(self, tenant: str, question: Question, days: Sequence[str]) -> list[Row]:
        """Return the `limit` dearest tasks or sessions of whole days, as rows.

        Costs below 0 count as 0.

        Raises:
            TooMany: the filters pass so few tasks that too many must be read to find them.
        """
        whole = [day for day in days if question.span.covers(day)]
        if not set(FINE).isdisjoint(question.filters):
            numbers = await self._numbers(tenant, question, days)
            return _dearest(await self.sums(tenant, numbers, question, whole), question.limit)
        by_session = "session" in question.group_by and "task" not in question.group_by
        return await self._dearest(question, Days(
            tenant, "session" if by_session else "place", whole, question.filters.get("agent")))

    async def _dearest(self, question: Question, of: Days) -> list[Row]:
        """Read what is dear until what is left cannot be dearer than what was found."""
        rows: list[Row] = []
        waiting: list[str] = []
        read = 0
        async for member, cost in self.dear.ranked(of):
            waiting.append(member)
            if len(waiting) < question.limit:
                continue
            numbers = await self._numbers_of(of, waiting)
            read, waiting = read + len(numbers), []
            rows = _dearest([*rows, *await self.sums(of.tenant, numbers, question, of.days)],
                            question.limit)
            if len(rows) == question.limit and rows[-1].sums.cost_nano >= cost:
                return rows
            bound(read)
        numbers = await self._numbers_of(of, waiting)
        return _dearest([*rows, *await self.sums(of.tenant, numbers, question, of.days)],
                        question.limit)

    async def _numbers_of(self, of: Days, members: Sequence[str]) -> list[str]:
        if of.what == "place":
            return list(members)
        return sorted(await self.of_each(of.tenant, "session", members), key=int)

    async def of_each(self, tenant: str, dimension: str, values: Sequence[str]) -> set[str]:
        """Return the places that any of these sessions, tasks or roots has."""
        found: set[str] = set()
        for start in range(0, len(values), READ_AT_ONCE):
            each = [keys.by(tenant, dimension, one) for one in values[start:start + READ_AT_ONCE]]
            with mapped():
                found |= await self._redis.sunion(each)
        return found


def _dearest(rows: list[Row], limit: int) -> list[Row]:
    return sorted(rows, key=lambda row: -row.sums.cost_nano)[:limit]


def _by_day(kept: dict[str, str], days: dict[str, str], *, apart: bool,
            ) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for field, amount in kept.items():
        day = days.get(field[:DAY_DIGITS])
        if day is not None:
            found.setdefault(day if apart else "", []).append((field[DAY_DIGITS:], amount))
    return found


def bound(count: int) -> None:
    """Return if so many tasks may be read for one question.

    Raises:
        TooMany: they are too many.
    """
    if count > COST_PLACES_MAX:
        raise TooMany
