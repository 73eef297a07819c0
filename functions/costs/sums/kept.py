"""Answers questions about coarse dimensions from kept sums: the events are not looked at."""

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from functions.costs import keys
from functions.costs.questions.dimensions import BUCKETS, COARSE, DEFAULT_MEASURES, TAG
from functions.costs.questions.question import Question
from functions.costs.questions.ranges import day_of, hours_of, pieces
from functions.costs.questions.rows import Row
from functions.costs.sums.adding import Adding, Dimensions
from functions.costs.sums.columns import Columns, columns_of, packed, unpacked
from functions.costs.sums.plans import plan
from functions.costs.sums.versions import Versions
from shared.clock import Clock, now_s
from shared.errors import Transient
from shared.store import Redis, Unavailable, mapped

READ_AT_ONCE = 64
"""Hours, days or months per round trip: a month's hours in a dozen."""

READ_AS_ONE = 4
"""Days whose hours are read at one moment: some 2 ms in which Redis does nothing else."""

AMOUNTS_CACHED_MAX = 300_000
"""Amounts that one process remembers: some 10 MiB. Two months of a large tenant."""

TRIES_MAX = 16
"""Times that sums are read while events come. What is asked for in one write is answered in one go,
so that an event between two answers is rare."""

ROWS_KNOWN_MAX = 40_000
"""Rows whose dimensions one process remembers, beside the tenant's that was asked about last: some
40 MiB. A tenant has a hundred; one with too many different ones has 20 000."""

DAYS_PACKED = 3
"""Days before today that are packed at a time: a timer that failed is made up for."""

SUM, MORE = "sum", "more"
"""Which sums: of the measures of every answer, and of those that only some questions ask for."""

Name = tuple[str, str]
"""`SUM` or `MORE`, and the label of an hour, day or month."""


class KeptSums:
    """The sums of hours, days and months, by coordinates.

    What was read is remembered, and read again when an event has come for that day since. Sums of
    days that are over are packed when they are read: 1 text is read in place of 1 000 fields.
    """

    def __init__(self, redis: Redis, clock: Clock = now_s) -> None:
        self._redis: Any = redis
        self._clock = clock
        self._known: OrderedDict[str, dict[str, Dimensions]] = OrderedDict()
        """Tenant, the one asked about last at the end → row → its dimensions: they never change."""
        self._cache = _Cache()

    async def rows(self, tenant: str, question: Question, days: Sequence[str],
                   ) -> tuple[list[Row], tuple[str, ...]]:
        """Return the rows of the whole hours, days and months of a span, and the hours left."""
        (rows,), edges = await self.each(tenant, [question], days)
        return rows, edges

    async def each(self, tenant: str, questions: Sequence[Question], days: Sequence[str],
                   ) -> tuple[list[list[Row]], tuple[str, ...]]:
        """Return the rows of several questions about one span, for which sums are read once."""
        finest = min((question.finest for question in questions), key=BUCKETS.index)
        parts = pieces(questions[0].span, days, finest)
        addings = [Adding(question) for question in questions]
        step = READ_AS_ONE if any(question.zoned for question in questions) else READ_AT_ONCE
        for start in range(0, len(parts.whole), step):
            await self._add(tenant, parts.whole[start:start + step], addings)
        return [adding.rows({"tenant": tenant} if "tenant" in adding.question.group_by else {})
                for adding in addings], parts.edges

    async def pack(self, tenant: str, days: Sequence[str]) -> None:
        """Pack the last days that are over, so that whoever asks first need not wait for it."""
        for day in [day for day in days if self._is_over(day)][-DAYS_PACKED:]:
            await self._kept(tenant, [{(kind, label) for kind in (SUM, MORE)
                                       for label in (day, *hours_of(day))}])

    async def versions(self, tenant: str) -> Versions:
        """Return the versions of the tenant's days."""
        versions, _ = await self._at_once(tenant, [])
        return versions

    async def _add(self, tenant: str, labels: Sequence[str], addings: Sequence[Adding]) -> None:
        plans = [(adding, plan(label, adding.question)) for adding in addings for label in labels]
        has_more = any(not set(adding.question.wanted) <= set(DEFAULT_MEASURES)
                       for adding in addings)
        kinds = (SUM, MORE) if has_more else (SUM,)
        kept = await self._kept(tenant, [{(kind, part.label) for part in group for kind in kinds}
                                         for _, group in plans])
        known = self.known(tenant)
        for adding, group in plans:
            for part in group:
                for kind in kinds:
                    adding.add(kept[kind, part.label], known, at=part.at, sign=part.sign)

    async def _kept(self, tenant: str, groups: Sequence[set[Name]]) -> dict[Name, Columns]:
        """Return the sums of these names; those of a group are of one moment."""
        new = sorted({name for group in groups for name in group
                      if (tenant, *name) not in self._cache})
        versions, texts = await self._at_once(tenant, [("HMGET", keys.of(tenant, "packed"), *(
            ":".join(name) for name in new))] if new else [])
        found = {name: unpacked(text, versions.of(name[1]))
                 for name, text in zip(new, texts[0] if texts else (), strict=True)}
        self._remember(tenant, versions, found)
        kept: dict[Name, Columns] = {}
        missing: set[Name] = set()
        for group in groups:
            each = {name: found.get(name) or self._cache.get(
                (tenant, *name), versions.of(name[1])) for name in group}
            if None in each.values():
                missing |= group
            else:
                kept |= {name: columns for name, columns in each.items() if columns is not None}
        kept |= await self._read(tenant, sorted(missing)) if missing else {}
        await self._learn_all(tenant, kept.values())
        return kept

    async def _read(self, tenant: str, names: Sequence[Name]) -> dict[Name, Columns]:
        """Read the sums at one moment, and pack what is over."""
        versions, found = await self._at_once(
            tenant, [("HGETALL", keys.of(tenant, *name)) for name in names])
        read = {name: columns_of(fields.items())
                for name, fields in zip(names, found, strict=True)}
        self._remember(tenant, versions, read)
        over = {":".join(name): packed(versions.of(name[1]), columns)
                for name, columns in read.items() if self._is_over(name[1])}
        if over:
            with suppress(Unavailable), mapped():  # a Redis that takes no writes still answers
                await self._redis.hset(keys.of(tenant, "packed"), mapping=over)
        return read

    async def _at_once(self, tenant: str, commands: Sequence[tuple[str, ...]],
                       ) -> tuple[Versions, list[Any]]:
        """Return the answers to commands, and the versions of the same moment.

        It is one moment if no event was stored between the first answer and the last. A transaction
        would make it one at once, but a Redis that is full takes none: not even one that only
        reads.

        Raises:
            Transient: events were stored meanwhile whenever it was tried.
        """
        count = ("HGET", keys.counts(tenant), "events")
        asked = [count, ("HGETALL", keys.of(tenant, "changed")), *commands, count]
        for _ in range(TRIES_MAX):
            before, changed, *found, after = await self._answers(asked)
            if before == after:
                return Versions.read(changed, after), found
        raise Transient(f"events of {tenant} come faster than its sums are read: ask again")

    async def _answers(self, commands: Sequence[tuple[str, ...]]) -> list[Any]:
        with mapped():
            async with self._redis.pipeline(transaction=False) as pipe:
                for command in commands:
                    pipe.execute_command(*command)
                return list(await pipe.execute())

    def _remember(self, tenant: str, versions: Versions,
                  read: Mapping[Name, Columns | None]) -> None:
        for name, columns in read.items():
            if columns is not None:
                self._cache.put((tenant, *name), _Read(versions.of(name[1]), columns))

    def _is_over(self, label: str) -> bool:
        """Tell whether hardly any event will come for the hour, day or month."""
        return label < day_of(int(self._clock() * 1000))[:len(label)]

    async def _learn_all(self, tenant: str, kept: Iterable[Columns]) -> None:
        await self.learn(tenant, set().union(*(columns.rows for columns in kept)))

    def known(self, tenant: str) -> Mapping[str, Dimensions]:
        """Return what the rows that were just learned mean."""
        return self._known[tenant]

    async def learn(self, tenant: str, rows: Iterable[str]) -> None:
        """Read what rows mean that were not met before; `known` has them until the next wait."""
        known = self._known.setdefault(tenant, {})
        self._known.move_to_end(tenant)
        new = [row for row in rows if row not in known]
        if not new:
            return
        with mapped():
            found = await self._redis.hmget(keys.of(tenant, "coords"), new)
        known.update({row: _dimensions(name) for row, name in zip(new, found, strict=True)})
        self._known[tenant] = known  # others may have let go of it meanwhile
        self._known.move_to_end(tenant)
        while len(self._known) > 1 and sum(map(len, self._known.values())) > ROWS_KNOWN_MAX:
            self._known.popitem(last=False)


@dataclass(frozen=True, slots=True)
class _Read:
    """The sums of an hour, day or month, as they stood at a version of it."""

    version: str
    columns: Columns


class _Cache:
    """What was read last, up to `AMOUNTS_CACHED_MAX` amounts."""

    def __init__(self) -> None:
        self._found: OrderedDict[tuple[str, ...], _Read] = OrderedDict()
        self._count = 0

    def __contains__(self, key: tuple[str, ...]) -> bool:
        return key in self._found

    def get(self, key: tuple[str, ...], version: str) -> Columns | None:
        found = self._found.get(key)
        if found is None or found.version != version:
            return None
        self._found.move_to_end(key)
        return found.columns

    def put(self, key: tuple[str, ...], read: _Read) -> None:
        old = self._found.pop(key, None)
        self._found[key] = read
        self._count += read.columns.count - (old.columns.count if old else 0)
        while self._count > AMOUNTS_CACHED_MAX:
            _, dropped = self._found.popitem(last=False)
            self._count -= dropped.columns.count


def _dimensions(name: str) -> Dimensions:
    values = json.loads(name)
    tags = values[len(COARSE)] if len(values) > len(COARSE) else {}
    return {**dict(zip(COARSE, values, strict=False)), **{TAG + k: v for k, v in tags.items()}}
