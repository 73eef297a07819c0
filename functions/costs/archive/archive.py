"""Moves old events to object storage, and reads them there.

An object is written, read back and compared before one script notes it and lets go of its events:
killed at any point, an event is in Redis or in a noted object, never in both or neither. Sums stay
in Redis, so questions about sums need no archive.
"""

import hashlib
import json
from asyncio import to_thread
from collections.abc import AsyncIterator, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import nlargest
from itertools import groupby, zip_longest
from operator import itemgetter
from pathlib import Path
from typing import Any, Protocol

from eventing.event import Event
from functions.costs import keys
from functions.costs.archive.objects import Objects
from functions.costs.archive.parquet import decoded, encoded
from functions.costs.events.facts import at_ms, read
from functions.costs.questions.ranges import Span, hours_of
from functions.costs.turns import EVENTS_AT_ONCE, in_turns
from shared.errors import TollgateError
from shared.limits import COST_ARCHIVE_EVENTS_MAX
from shared.store import Redis, Script, mapped

_ARCHIVE = Script(Path(__file__).parent / "archive.lua")


@dataclass(frozen=True, slots=True)
class Batch:
    """Events of one UTC day that go into one object: the first ones of some hours."""

    tenant: str
    day: str
    hours: dict[str, int]
    events: tuple[Event, ...]

    @property
    def name(self) -> str:
        """Return the object's name: the same events have the same."""
        ids = hashlib.sha256("\n".join(event.id for event in self.events).encode()).hexdigest()
        return f"tenant={self.tenant}/month={self.day[:7]}/{self.day}-{ids[:16]}.parquet"

    @property
    def held(self) -> dict[str, Any]:
        """Return what the object holds, as it is noted."""
        facts = [read(event) for event in self.events]
        return {"day": self.day, "hours": sorted(self.hours), "events": len(self.events),
                "kinds": sorted({fact.kind for fact in facts}),
                "cost_nano": sum(fact.sums.cost_nano for fact in facts)}


@contextmanager
def _undamaged(name: str) -> Iterator[None]:
    try:
        yield
    except (ValueError, LookupError, TypeError, OSError) as error:
        raise TollgateError(f"archive: {name} is damaged: {error}") from error


def _listed(data: bytes, wanted: Mapping[str, str]) -> list[Event]:
    return list(decoded(data, **wanted))


def _verified(batch: Batch, data: bytes) -> tuple[dict[str, Any], list[str]]:
    """Return what a batch holds, and of which tasks, if it was read back as it was written.

    It takes most of a second, in which others get answers only if it has a thread of its own.

    Raises:
        TollgateError: it was not.
    """
    held, nano, tasks = batch.held, 0, set()
    otherwise = TollgateError(f"archive: {batch.name} reads back otherwise than it was written")
    for one, other in zip_longest(decoded(data), batch.events):
        if one is None or other is None or (one.id, one.json()) != (other.id, other.json()):
            raise otherwise
        fact = read(one)
        nano += fact.sums.cost_nano
        tasks.add(fact.task)
    if nano != held["cost_nano"]:
        raise otherwise
    return held, sorted(filter(None, tasks))


def _may_hold(held: Mapping[str, Any], kind: str) -> bool:
    """Tell whether an object may hold events of a kind; earlier releases did not note which."""
    return kind in held.get("kinds", (kind,))


class Listed(Protocol):
    """What the archive asks of the store."""

    async def events(self, tenant: str, ids: Sequence[str]) -> list[Event]:
        """Return the kept events with these ids, in this order."""


class Archive:
    """One tenant's archived events at a time."""

    def __init__(self, redis: Redis, objects: Objects) -> None:
        self._redis: Any = redis
        self._objects = objects
        self._last: tuple[str, bytes] = ("", b"")
        """The object read last: a day's hours are asked for one after the other."""

    async def noted(self, tenant: str) -> dict[str, dict[str, Any]]:
        """Return what every object of a tenant holds, by name."""
        with mapped():
            found = await self._redis.hgetall(keys.of(tenant, "archive"))
        return {name: json.loads(held) for name, held in sorted(found.items())}

    async def of_hour(self, tenant: str, hour: str) -> AsyncIterator[Event]:
        """Yield the archived events of a UTC hour; those of one object at a time are in memory."""
        held = [(held["hours"], name) for name, held in (await self.noted(tenant)).items()
                if hour in held["hours"]]
        for _, name in sorted(held):  # the last one is most likely the next hour's first
            for event in await self._read(name, hour=hour):
                yield event

    async def of_kind(self, tenant: str, kind: str, days: Container[str]) -> AsyncIterator[Event]:
        """Yield the archived events of one kind of these UTC days."""
        for name, held in (await self.noted(tenant)).items():
            if held["day"] in days and _may_hold(held, kind):
                for event in await self._read(name, kind=kind):
                    yield event

    async def latest(self, tenant: str, kind: str, most: int) -> list[Event]:
        """Return the last archived events of one kind, the newest first."""
        found: list[Event] = []
        noted = [(held["day"], name) for name, held in (await self.noted(tenant)).items()
                 if _may_hold(held, kind)]
        for _, each in groupby(sorted(noted, reverse=True), key=itemgetter(0)):
            if len(found) >= most:
                break
            for _, name in each:
                found = nlargest(most, [*found, *await self._read(name, kind=kind)], key=at_ms)
        return found

    async def of_task(self, tenant: str, task: str) -> list[Event]:
        """Return the archived events of a task."""
        with mapped():
            names = await self._redis.hget(keys.of(tenant, "moved"), task)
        each = [await self._read(name, task=task) for name in (names or "").split()]
        return [event for events in each for event in events]

    async def _read(self, name: str, **wanted: str) -> list[Event]:
        if self._last[0] != name:
            self._last = (name, await self._objects.get(name))
        with _undamaged(name):
            return await to_thread(_listed, self._last[1], wanted)

    async def difference(self, tenant: str, span: Span) -> int:
        """Return by how much the objects of whole days say more than was noted of them."""
        found = 0
        for name, held in (await self.noted(tenant)).items():
            if span.covers(held["day"]):
                found += await self._read_back(name, held["hours"]) - int(held["cost_nano"])
        return found

    async def _read_back(self, name: str, hours: Sequence[str]) -> int:
        nano = 0
        for hour in hours:
            async for events in in_turns(await self._read(name, hour=hour), EVENTS_AT_ONCE):
                nano += sum(read(event).sums.cost_nano for event in events)
        return nano

    async def move(self, batch: Batch) -> bool:
        """Write, verify, note and let go; tell whether this call did. Repeats change nothing.

        Raises:
            Transient: the storage is away.
            TollgateError: what was read back is not what was written; nothing was let go.
        """
        await self._objects.put(batch.name, await to_thread(encoded, batch.events))
        with _undamaged(batch.name):
            held, tasks = await to_thread(_verified, batch, await self._objects.get(batch.name))
        tenant = batch.tenant
        names = [keys.raw(tenant), keys.of(tenant, "archive"), keys.of(tenant, "moved"),
                 *(keys.hour(tenant, hour) for hour in batch.hours)]
        outcome = await _ARCHIVE(self._redis, names, [
            batch.name, json.dumps(held), len(batch.hours), len(batch.events), len(tasks),
            *batch.hours.values(), *(event.id for event in batch.events), *tasks])
        return bool(outcome == "done")

    async def next_batch(self, tenant: str, day: str, store: Listed) -> Batch | None:
        """Return a day's next events to move; `None` when there are none left."""
        taken: list[Event] = []
        hours: dict[str, int] = {}
        for hour in hours_of(day):
            room = COST_ARCHIVE_EVENTS_MAX - len(taken)
            if room == 0:
                break
            with mapped():
                ids = await self._redis.lrange(keys.hour(tenant, hour), 0, room - 1)
            if ids:
                hours[hour] = len(ids)
                taken += await store.events(tenant, ids)
        return Batch(tenant, day, hours, tuple(taken)) if taken else None


async def move_due(archive: Archive, store: Listed, tenant: str, days: Sequence[str]) -> int:
    """Move all events of these days; return how many. Safe to repeat, and to run twice at once."""
    moved = 0
    for day in days:
        while batch := await archive.next_batch(tenant, day, store):
            if not await archive.move(batch):
                break  # somebody else moves the same
            moved += len(batch.events)
    return moved


def due(days: Sequence[str], months_kept: int, now: datetime | None = None) -> list[str]:
    """Return the days of months that ended more than `months_kept` months ago."""
    at = now or datetime.now(UTC)
    first = at.year * 12 + at.month - 1 - months_kept
    return [day for day in days if int(day[:4]) * 12 + int(day[5:7]) - 1 < first]
