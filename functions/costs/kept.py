"""Answers questions about coarse dimensions from kept sums: the events are not looked at."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from functions.costs import keys
from functions.costs.buckets import named
from functions.costs.dimensions import BUCKETS, COARSE, DEFAULT_MEASURES, MEASURES, TAG
from functions.costs.question import Question
from functions.costs.ranges import pieces
from functions.costs.report import Row, Sums
from shared.store import Redis, mapped

READ_AT_ONCE = 64
"""Hashes per round trip: a month's hours in a dozen."""

LETTERS = {letter: name for name, letter in MEASURES.items()}
Told = tuple[str | None, ...]


@dataclass(slots=True)
class Adding:
    """Adds amounts up by what a question groups by."""

    question: Question
    sums: dict[Told, dict[str, int]]

    @classmethod
    def of(cls, question: Question) -> "Adding":
        """Return one that has added nothing."""
        return cls(question, defaultdict(lambda: defaultdict(int)))

    def rows(self, given: Mapping[str, str | None]) -> list[Row]:
        """Return the sums as rows; `given` has dimensions that are the same for all."""
        names = self.question.group_by
        return [Row({**dict(zip(names, told, strict=True)), **given}, Sums.of(amounts))
                for told, amounts in self.sums.items()]


class KeptSums:
    """The sums of hours, days and months, by coordinates."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis
        self._known: dict[str, dict[str, dict[str, str | None]]] = defaultdict(dict)
        """Tenant → row → its dimensions: a row never changes what it means."""

    async def rows(self, tenant: str, question: Question, days: Sequence[str],
                   ) -> tuple[list[Row], tuple[str, ...]]:
        """Return the rows of the whole hours, days and months of a span, and the hours left."""
        parts = pieces(question.span, days, question.finest)
        adding = Adding.of(question)
        for start in range(0, len(parts.whole), READ_AT_ONCE):
            labels = parts.whole[start:start + READ_AT_ONCE]
            await self._add(tenant, labels, adding)
        same = {"tenant": tenant} if "tenant" in question.group_by else {}
        return adding.rows(same), parts.edges

    async def _add(self, tenant: str, labels: Sequence[str], adding: Adding) -> None:
        if not set(adding.question.wanted) <= set(DEFAULT_MEASURES):
            await self._collect(tenant, labels, adding, keys.more)
        await self._collect(tenant, labels, adding, keys.sums)

    async def _collect(self, tenant: str, labels: Sequence[str], adding: Adding,
                       key_of: Callable[[str, str], str]) -> None:
        found = await self._read([key_of(tenant, label) for label in labels])
        await self.learn(tenant, {field[:-1] for kept in found for field in kept})
        for label, kept in zip(labels, found, strict=True):
            self.collect(tenant, kept.items(), adding, label=label)

    async def _read(self, names: Sequence[str]) -> list[dict[str, str]]:
        with mapped():
            async with self._redis.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.hgetall(name)
                return list(await pipe.execute())

    async def learn(self, tenant: str, rows: Iterable[str]) -> None:
        """Read what rows mean that were not met before."""
        known = self._known[tenant]
        new = [row for row in rows if row not in known]
        if not new:
            return
        with mapped():
            found = await self._redis.hmget(keys.of(tenant, "coords"), new)
        known.update({row: _dimensions(name) for row, name in zip(new, found, strict=True)})

    def collect(self, tenant: str, amounts: Iterable[tuple[str, str]], adding: Adding, *,
                label: str = "", fixed: Mapping[str, str | None] | None = None) -> None:
        """Add amounts by `<row><letter>`; `fixed` has what is the same for all of them."""
        wanted = {MEASURES[name]: name for name in adding.question.wanted}
        told: dict[str, dict[str, int] | None] = {}
        for field, amount in amounts:
            name = wanted.get(field[-1])
            if name is None:
                continue
            row = field[:-1]
            if row not in told:
                told[row] = self._sums(tenant, row, adding, _Here(label, fixed or {}))
            sums = told[row]
            if sums is not None:
                sums[name] += int(amount)

    def _sums(self, tenant: str, row: str, adding: Adding, here: "_Here") -> dict[str, int] | None:
        question = adding.question
        of = {**self._known[tenant][row], **here.fixed}
        if any((value_of(of, name) or "") != value for name, value in question.filters.items()):
            return None
        told = tuple(_bucket(name, here.label, question) if name in BUCKETS
                     else value_of(of, name) for name in question.group_by)
        return adding.sums[told]


@dataclass(frozen=True, slots=True)
class _Here:
    label: str
    fixed: Mapping[str, str | None]


def value_of(of: Mapping[str, str | None], name: str) -> str | None:
    """Return the value of a dimension; of a tag, `(other)` where tags are no longer told."""
    if name.startswith(TAG):
        return of.get(name, of.get(f"{TAG}*"))
    return of.get(name)


def _bucket(name: str, label: str, question: Question) -> str:
    return named(name, label, question.zone)


def _dimensions(name: str) -> dict[str, str | None]:
    values = json.loads(name)
    tags = values[len(COARSE)] if len(values) > len(COARSE) else {}
    return {**dict(zip(COARSE, values, strict=False)), **{TAG + k: v for k, v in tags.items()}}
