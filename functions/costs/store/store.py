"""Keeps the ledger's events in Redis, exactly once each, and reads them back."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from eventing.event import Event
from functions.costs import keys
from functions.costs.archive.archive import Archive, due, move_due
from functions.costs.events import sequence
from functions.costs.events.facts import Fact, read
from functions.costs.events.packing import pack, unpack
from functions.costs.questions.dimensions import DEFAULT_MEASURES, MEASURES
from functions.costs.questions.question import Question
from functions.costs.questions.rows import Row, Sums, total
from functions.costs.store.edges import fitting
from functions.costs.store.ends import Ends, read_end
from functions.costs.store.storing import arguments, keys_of
from functions.costs.sums.kept import KeptSums
from functions.costs.sums.places import Places
from shared import faults
from shared.faults import FaultPoint
from shared.store import Redis, Script, mapped

_STORE = Script(Path(__file__).parent / "store.lua")

ARCHIVED = b"-"
"""Stands where an event was that is in the archive: it is known, and not stored again."""

RANKED_MAX = 1_000
"""Tasks or sessions that are told apart where there are too many to tell all."""

_MEASURED = {MEASURES[name]: name for name in DEFAULT_MEASURES}

READ_BATCH = 100
"""Events per HMGET: unpacking them takes some 2 ms, in which nobody else gets an answer."""

CHUNKS_AT_ONCE = 64
"""Bitmaps of numbers per MGET: half a MiB, four million events."""


class Stored(StrEnum):
    """What a delivery came to."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    """Stored, and its sequence number came before under another event id."""


class CostStore:
    """All tenants' events; every method touches one tenant only."""

    def __init__(self, redis: Redis, *, tag_keys: Iterable[str] = (),
                 archive: Archive | None = None) -> None:
        self.redis: Any = redis  # its annotations admit bytes everywhere; we decode all but raw
        self._tag_keys = frozenset(tag_keys)
        self._hinted: set[str] = set()
        self.archive = archive
        self.kept = KeptSums(redis)
        self.places = Places(redis, self.kept)
        self.ends = Ends(redis)

    async def store(self, event: Event) -> tuple[Fact, Stored]:
        """Keep one event; return what it says, and what became of it.

        One script call. The same event again changes nothing but the count of duplicates, and
        marks its number as seen.

        Raises:
            Malformed, Permanent: this is no event of the ledger.
            Unavailable: Redis is away; deliver the event again.
        """
        fact = read(event)
        await self._hint(fact.tenant)
        await faults.reach(FaultPoint.COSTS_BEFORE_STORE)
        outcome = await _STORE(
            self.redis, keys_of(fact), arguments(fact, pack(event), self._tag_keys))
        await faults.reach(FaultPoint.COSTS_AFTER_STORE)
        return fact, Stored(outcome)

    async def end(self, event: Event) -> bool:
        """Keep how a task ended; tell whether that is new. The same event again changes nothing.

        Raises:
            Malformed, ValidationError: this is no end of a task.
            Transient: Redis is away; deliver the event again.
        """
        tenant, end = read_end(event)
        await self._hint(tenant)
        is_new = await self.ends.keep(tenant, end)
        await faults.reach(FaultPoint.COSTS_AFTER_END)
        return is_new

    async def _hint(self, tenant: str) -> None:
        if tenant not in self._hinted:
            with mapped():
                await self.redis.sadd(keys.TENANTS, tenant)
            self._hinted.add(tenant)

    async def rows(self, tenant: str, question: Question) -> list[Row]:
        """Return the rows of the span by the question's dimensions, its filters applied.

        Raises:
            Permanent: the question needs more tasks or single events than one may read.
        """
        days = await self.days(tenant)
        reader = self.places if question.fine else self.kept
        rows, edges = await reader.rows(tenant, question, days)
        return rows + (await fitting(self, tenant, edges, question) if edges else [])

    async def dearest_of_all(self, tenant: str, question: Question) -> tuple[list[Row], Sums]:
        """Return the dearest rows of a question with too many, and what all of them come to."""
        found = await self.dearest(tenant, replace(
            question, limit=min(question.limit, RANKED_MAX)))
        whole = await self.rows(tenant, replace(question, group_by=("tenant",)))
        return found, total(whole)

    async def rows_of(self, tenant: str, questions: Sequence[Question]) -> list[list[Row]]:
        """Return the rows of several questions about one span; what they share is read once.

        None of them tells sessions, tasks or roots apart.

        Raises:
            Permanent: the span needs more single events than one may read.
        """
        each, edges = await self.kept.each(tenant, questions, await self.days(tenant))
        if not edges:
            return each
        return [rows + await fitting(self, tenant, edges, question)
                for rows, question in zip(each, questions, strict=True)]

    async def dearest(self, tenant: str, question: Question) -> list[Row]:
        """Return the `limit` dearest tasks or sessions of the span's whole days.

        Raises:
            Permanent: the filters pass so few that too many tasks must be read to find them.
        """
        return await self.places.dearest(tenant, question, await self.days(tenant))

    async def archive_due(self, months_kept: int) -> int:
        """Move what is older than the months kept, of every tenant; return how many events.

        Repeats move nothing twice.
        """
        if self.archive is None:
            return 0
        return sum([await move_due(self.archive, self, tenant,
                                   due(await self.days(tenant), months_kept))
                    for tenant in await self.tenants()])

    async def pack_all(self) -> None:
        """Pack every tenant's last days that are over. Repeats change nothing."""
        for tenant in await self.tenants():
            await self.kept.pack(tenant, await self.days(tenant))

    async def days(self, tenant: str) -> list[str]:
        """Return the UTC days with events, the oldest first."""
        with mapped():
            return sorted(await self.redis.smembers(keys.days(tenant)))

    async def listed(self, tenant: str, key: str) -> AsyncIterator[Event]:
        """Yield the kept events of a list of ids, in its order."""
        start = 0
        while ids := await self._slice(key, start, start + READ_BATCH - 1):
            for event in await self.events(tenant, ids):
                yield event
            start += READ_BATCH

    async def _slice(self, key: str, start: int, end: int) -> list[str]:
        with mapped():
            return list(await self.redis.lrange(key, start, end))

    async def events(self, tenant: str, ids: Sequence[str]) -> list[Event]:
        """Return the kept events with these ids, in this order; unknown ids are left out."""
        if not ids:
            return []
        with mapped():
            packed = await self.redis.execute_command(
                "HMGET", keys.raw(tenant), *ids, NEVER_DECODE=True)
        return [unpack(one) for one in packed if one and one != ARCHIVED]

    async def of_hour(self, tenant: str, hour: str) -> AsyncIterator[Event]:
        """Yield the events of a UTC hour, archived ones first, each once.

        Their ids are read at one moment, so that what moves to the archive meanwhile is found here
        or there. Of the events themselves a few are in memory at a time.
        """
        here = dict.fromkeys(await self._slice(keys.hour(tenant, hour), 0, -1))
        async for event in self._archived(tenant, hour):
            here.pop(event.id, None)
            yield event
        left = list(here)
        for start in range(0, len(left), READ_BATCH):
            for event in await self.events(tenant, left[start:start + READ_BATCH]):
                here.pop(event.id, None)
                yield event
        if here:
            async for event in self._archived(tenant, hour):
                if event.id in here:
                    yield event

    async def _archived(self, tenant: str, hour: str) -> AsyncIterator[Event]:
        if self.archive is not None:
            async for event in self.archive.of_hour(tenant, hour):
                yield event

    async def of_task(self, tenant: str, task: str) -> list[Event]:
        """Return a task's events in the order they came; none when the task is unknown."""
        here = [event async for event in self.listed(tenant, keys.task(tenant, task))]
        known = {event.id for event in here}
        archived = await self.archive.of_task(tenant, task) if self.archive else []
        return [event for event in archived if event.id not in known] + here

    async def latest(self, tenant: str, kind: str, limit: int) -> list[Event]:
        """Return the last events of a kind other than `attributed`, the newest first."""
        here = await self.recent(tenant, kind, limit)
        if self.archive is None or len(here) == limit:
            return here
        known = {event.id for event in here}
        archived = await self.archive.latest(tenant, kind, limit)
        return [*here, *(event for event in archived if event.id not in known)][:limit]

    async def recent(self, tenant: str, kind: str, limit: int) -> list[Event]:
        """Return as `latest` those that are not archived: storage that is away holds nothing up."""
        ids = await self._slice(keys.kind(tenant, kind), -limit, -1)
        return await self.events(tenant, ids[::-1])

    async def latest_tasks(self, tenant: str, limit: int) -> list[str]:
        """Return the tasks with the latest events, the newest first."""
        with mapped():
            return list(await self.redis.zrevrange(keys.tasks(tenant), 0, limit - 1))

    async def totals(self, tenant: str) -> dict[str, Sums]:
        """Return the sums of all time by agent."""
        with mapped():
            kept = await self.redis.hgetall(keys.total(tenant))
        amounts: dict[str, dict[str, int]] = defaultdict(dict)
        for field, amount in kept.items():
            letter, _, agent = field.partition(" ")
            amounts[agent][_MEASURED[letter]] = int(amount)
        return {agent: Sums.of(each) for agent, each in amounts.items()}

    async def tenants(self) -> list[str]:
        """Return the tenants that may have costs."""
        with mapped():
            return sorted(await self.redis.smembers(keys.TENANTS))

    async def counts(self, tenant: str) -> dict[str, int]:
        """Return how many `events`, `conflicts` and, per epoch, `duplicates:<epoch>` came."""
        with mapped():
            found = await self.redis.hgetall(keys.counts(tenant))
        return {"events": 0, "conflicts": 0} | {name: int(n) for name, n in found.items()}

    async def conflicts(self, tenant: str) -> list[str]:
        """Return the latest conflicts as `<epoch> <number> <second event id>`."""
        return await self._slice(keys.conflicts(tenant), 0, -1)

    async def checks(self, tenant: str) -> list[sequence.Check]:
        """Return the gap check of every epoch, oldest epoch first."""
        with mapped():
            names = await self.redis.smembers(keys.chunks(tenant))
        chunks = sorted((name.rpartition(":")[0], int(name.rpartition(":")[2])) for name in names)
        epochs = dict.fromkeys(epoch for epoch, _ in chunks)
        return [sequence.check(epoch, await self._seen(tenant, epoch, chunks)) for epoch in epochs]

    async def _seen(self, tenant: str, epoch: str,
                    chunks: Sequence[tuple[str, int]]) -> list[sequence.Range]:
        numbers = [number for name, number in chunks if name == epoch]
        found: list[sequence.Range] = []
        for start in range(0, len(numbers), CHUNKS_AT_ONCE):
            part = numbers[start:start + CHUNKS_AT_ONCE]
            with mapped():
                bitmaps = await self.redis.execute_command("MGET", *(
                    keys.numbers(tenant, epoch, chunk) for chunk in part), NEVER_DECODE=True)
            for chunk, bitmap in zip(part, bitmaps, strict=True):
                found += sequence.runs(chunk, bitmap or b"")
        return found
