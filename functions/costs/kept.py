"""Answers questions about coarse dimensions from kept sums: the events are not looked at."""

import json
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from functions.costs import keys
from functions.costs.adding import Adding, Amounts, Dimensions, amounts_of
from functions.costs.dimensions import BUCKETS, COARSE, DEFAULT_MEASURES, TAG
from functions.costs.plans import DAY_CHARS, plan
from functions.costs.question import Question
from functions.costs.ranges import pieces
from functions.costs.report import Row
from shared.store import Redis, mapped

READ_AT_ONCE = 64
"""Hours, days or months per round trip: a month's hours in a dozen."""

READ_AS_ONE = 4
"""Days whose hours are read at one moment: some 2 ms in which Redis does nothing else."""

AMOUNTS_CACHED_MAX = 300_000
"""Amounts that one process remembers: some 40 MiB. Two months of a large tenant."""


@dataclass(frozen=True, slots=True)
class _Read:
    """The sums of an hour, day or month, as they stood at a version of it."""

    version: int
    amounts: Amounts
    count: int
    has_more: bool


class KeptSums:
    """The sums of hours, days and months, by coordinates.

    What was read is remembered, and read again when an event has come for that day since.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis
        self.known: dict[str, dict[str, Dimensions]] = defaultdict(dict)
        """Tenant → row → its dimensions: a row never changes what it means."""
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

    async def _add(self, tenant: str, labels: Sequence[str], addings: Sequence[Adding]) -> None:
        plans = [(adding, plan(label, adding.question)) for adding in addings for label in labels]
        groups = [{part.label for part in group} for _, group in plans]
        has_more = any(not set(adding.question.wanted) <= set(DEFAULT_MEASURES)
                       for adding in addings)
        kept = await self._kept(tenant, groups, has_more=has_more)
        known = self.known[tenant]
        for adding, group in plans:
            for part in group:
                adding.add(kept[part.label], known, at=part.at, sign=part.sign)

    async def _kept(self, tenant: str, groups: Iterable[set[str]], *, has_more: bool,
                    ) -> dict[str, Amounts]:
        """Return the amounts of these labels; those of a group are of one moment."""
        versions = await self._versions(tenant)
        kept: dict[str, Amounts] = {}
        missing: set[str] = set()
        for group in groups:
            found = {label: self._cache.get((tenant, label), _version(versions, label), has_more)
                     for label in group}
            if None in found.values():
                missing |= group
            else:
                kept |= {label: amounts for label, amounts in found.items() if amounts is not None}
        if missing:
            kept |= await self._read(tenant, sorted(missing), has_more=has_more)
        return kept

    async def _versions(self, tenant: str) -> dict[str, int]:
        with mapped():
            found = await self._redis.hgetall(keys.of(tenant, "changed"))
        return {day: int(count) for day, count in found.items()}

    async def _read(self, tenant: str, labels: Sequence[str], *, has_more: bool,
                    ) -> dict[str, Amounts]:
        """Read the sums at one moment, with the versions that they are of."""
        kinds = (keys.sums, keys.more) if has_more else (keys.sums,)
        names = [kind(tenant, label) for label in labels for kind in kinds]
        with mapped():
            async with self._redis.pipeline(transaction=True) as pipe:
                for name in (keys.of(tenant, "changed"), *names):
                    pipe.hgetall(name)
                changed, *found = await pipe.execute()
        versions = {day: int(count) for day, count in changed.items()}
        read: dict[str, Amounts] = {}
        for n, label in enumerate(labels):
            fields = [pair for kept in found[n * len(kinds):(n + 1) * len(kinds)]
                      for pair in kept.items()]
            read[label] = amounts_of(fields)
            self._cache.put((tenant, label), _Read(
                _version(versions, label), read[label], len(fields), has_more))
        await self.learn(tenant, {row for amounts in read.values() for row in amounts})
        return read

    async def learn(self, tenant: str, rows: Iterable[str]) -> None:
        """Read what rows mean that were not met before."""
        known = self.known[tenant]
        new = [row for row in rows if row not in known]
        if not new:
            return
        with mapped():
            found = await self._redis.hmget(keys.of(tenant, "coords"), new)
        known.update({row: _dimensions(name) for row, name in zip(new, found, strict=True)})


class _Cache:
    """What was read last, up to `AMOUNTS_CACHED_MAX` amounts."""

    def __init__(self) -> None:
        self._found: OrderedDict[tuple[str, str], _Read] = OrderedDict()
        self._count = 0

    def get(self, key: tuple[str, str], version: int, has_more: bool) -> Amounts | None:
        found = self._found.get(key)
        if found is None or found.version != version or (has_more and not found.has_more):
            return None
        self._found.move_to_end(key)
        return found.amounts

    def put(self, key: tuple[str, str], read: _Read) -> None:
        old = self._found.pop(key, None)
        self._found[key] = read
        self._count += read.count - (old.count if old else 0)
        while self._count > AMOUNTS_CACHED_MAX:
            _, dropped = self._found.popitem(last=False)
            self._count -= dropped.count


def _version(versions: Mapping[str, int], label: str) -> int:
    """Return how many events had come for a label's days: every one changes it."""
    if len(label) >= DAY_CHARS:
        return versions.get(label[:DAY_CHARS], 0)
    return sum(count for day, count in versions.items() if day.startswith(label))


def _dimensions(name: str) -> Dimensions:
    values = json.loads(name)
    tags = values[len(COARSE)] if len(values) > len(COARSE) else {}
    return {**dict(zip(COARSE, values, strict=False)), **{TAG + k: v for k, v in tags.items()}}
