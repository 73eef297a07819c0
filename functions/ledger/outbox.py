"""Publishes what the scripts wrote, at least once, and serves it again by number."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eventing.event import Event
from eventing.publish import Publisher
from functions.ledger import keys
from functions.ledger.call import FIXED, Facts
from functions.ledger.composing import Entry, compose
from functions.ledger.remembered import Remembered
from functions.ledger.store import CONSUMER, Store
from shared.at_once import at_once
from shared.errors import Permanent, TollgateError, Transient
from shared.faults import FaultPoint, reach
from shared.limits import (
    OUTBOX_BATCH_MAX,
    OUTBOX_CLAIM_S,
    OUTBOX_POSTS_MAX,
    STATE_TTL_S,
)
from shared.store import mapped

log = logging.getLogger(__name__)
Entries = list[tuple[str, Entry]]
Row = Sequence[str | None]
Known = Facts | Row
"""What is known of an entry's reservation: by this process, or by Redis."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some events with the time they happened (ms); an event whose row expired is `None`."""

    events: list[tuple[int, Event | None]]
    last: str | None
    """Where the next page begins; `None` at the end."""


class Outbox:
    """Events on their way to the broker."""

    def __init__(self, store: Store, publisher: Publisher, ended: Remembered) -> None:
        self._store, self._publisher, self._ended = store, publisher, ended
        self._redis: Any = store.redis

    async def drain(self, tenant: str) -> int:
        """Publish what no ledger has read yet; return how many were accepted.

        What is written meanwhile waits for the next call, unless there is a batch of it.

        Raises:
            Unavailable: Redis is away.
            Transient: the broker did not take all; the rest is tried again by `claim`.
        """
        accepted = 0
        while batch := await self._unread(tenant):
            accepted += await self._publish(tenant, batch)
            if len(batch) < OUTBOX_BATCH_MAX:
                break
        return accepted

    async def claim(self, tenant: str) -> int:
        """Publish again what was read `OUTBOX_CLAIM_S` ago and never accepted."""
        await self._begin(keys.outbox(tenant))
        with mapped():
            found = await self._redis.xautoclaim(
                keys.outbox(tenant), keys.DRAIN_GROUP, CONSUMER, int(OUTBOX_CLAIM_S * 1000),
                count=OUTBOX_BATCH_MAX)
        batch = [(place, entry) for place, entry in found[1] if entry]
        return await self._publish(tenant, batch) if batch else 0

    async def _unread(self, tenant: str) -> Entries:
        stream = keys.outbox(tenant)
        for _ in range(2):
            try:
                with mapped():
                    found = await self._redis.execute_command(
                        "XREADGROUP", "GROUP", keys.DRAIN_GROUP, CONSUMER, "COUNT",
                        OUTBOX_BATCH_MAX, "STREAMS", stream, ">")
            except TollgateError as error:
                if "NOGROUP" not in error.detail:
                    raise
                await self._begin(stream)
            else:
                return _entries(found)
        return []

    async def _begin(self, stream: str) -> None:
        try:
            with mapped():
                await self._redis.xgroup_create(stream, keys.DRAIN_GROUP, id="0", mkstream=True)
        except TollgateError as error:
            if "BUSYGROUP" not in error.detail:  # another ledger was faster
                raise

    async def _publish(self, tenant: str, batch: Entries) -> int:
        known = await self._known(tenant, batch)
        taken = await at_once(
            OUTBOX_POSTS_MAX, lambda each: self._post(tenant, *each[0], each[1]),
            zip(batch, known, strict=True))
        await reach(FaultPoint.LEDGER_AFTER_PUBLISH)
        done = [place for (place, _), ok in zip(batch, taken, strict=True) if ok]
        if done:
            with mapped():
                await self._redis.xack(keys.outbox(tenant), keys.DRAIN_GROUP, *done)
        if len(done) < len(batch):
            raise Transient(f"the broker took {len(done)} of {len(batch)} events")
        return len(done)

    async def _post(self, tenant: str, place: str, entry: Entry, known: Known) -> bool:
        """Return whether the entry is done with; what is not stays pending and is claimed."""
        try:
            event = _event(tenant, place, entry, known)
        except (LookupError, TypeError, ValueError, TollgateError):
            log.exception("entry %s of tenant %s makes no event: a bug, or a later version wrote "
                          "it", place, tenant)
            return False
        if event is None:
            log.error("entry %s of tenant %s is lost: its row expired", place, tenant)
            return True
        return await self._accepted(event)

    async def _accepted(self, event: Event) -> bool:
        try:
            await self._publisher.publish(event)
        except Permanent:
            # Trying again gives the same answer; consumers find the gap and read it here.
            log.exception("the broker refuses event %s for good", event.id)
        except Transient as error:
            log.warning("event %s waits: %s", event.id, error)
            return False
        return True

    async def _known(self, tenant: str, batch: Entries) -> list[Known]:
        """Return what this process remembers of the entries' reservations, or what Redis has."""
        ended = [self._ended.drop(tenant, entry["id"]) if entry["kind"] == "attributed" else None
                 for _, entry in batch]
        others = [each for each, facts in zip(batch, ended, strict=True) if facts is None]
        rows = iter(await self._rows(tenant, others) if others else [])
        return [facts or next(rows) for facts in ended]

    async def _rows(self, tenant: str, entries: Entries) -> list[Row]:
        with mapped():
            async with self._redis.pipeline(transaction=False) as pipe:
                for _, entry in entries:
                    pipe.hmget(keys.reservation(tenant, entry["id"]), FIXED)
                found: list[Row] = await pipe.execute()
        return found

    async def range(self, tenant: str, epoch: str, first: int, last: int) -> list[Event]:
        """Return published and unpublished events by number, at most as many as asked for."""
        with mapped():
            entries: Entries = await self._redis.xrange(
                keys.outbox(tenant), f"{epoch}-{first}", f"{epoch}-{last}")
        rows = await self._rows(tenant, entries)
        events = [_event(tenant, place, entry, row)
                  for (place, entry), row in zip(entries, rows, strict=True)]
        return [event for event in events if event]

    async def page(self, tenant: str, after: str, count: int) -> Page:
        """Return the events behind a place, of all epochs, oldest first; '' is the beginning."""
        with mapped():
            entries: Entries = await self._redis.xrange(
                keys.outbox(tenant), f"({after}" if after else "-", "+", count=count)
        rows = await self._rows(tenant, entries)
        events = [(int(entry["at"]), _event(tenant, place, entry, row))
                  for (place, entry), row in zip(entries, rows, strict=True)]
        return Page(events, entries[-1][0] if len(entries) == count else None)

    async def trim(self, tenant: str, now_s: float) -> int:
        """Drop accepted events older than 14 d from the front; return how many."""
        stream = keys.outbox(tenant)
        with mapped():
            oldest = await self._redis.xrange(stream, count=OUTBOX_BATCH_MAX)
            if not oldest or int(oldest[0][1]["at"]) / 1000 > now_s - STATE_TTL_S:
                return 0
            pending = await self._redis.xpending_range(
                stream, keys.DRAIN_GROUP, "-", "+", 1)
            waits = pending[0]["message_id"] if pending else None
            old = []
            for place, entry in oldest:
                if place == waits or int(entry["at"]) / 1000 > now_s - STATE_TTL_S:
                    break
                old.append(place)
            return int(await self._redis.xdel(stream, *old)) if old else 0


def _event(tenant: str, place: str, entry: Entry, known: Known) -> Event | None:
    """Return the event of an entry; `None` if its reservation's row is gone."""
    if entry["kind"] == "threshold":
        return compose(tenant, place, entry, None)
    facts = known if isinstance(known, Facts) else Facts.stored(known, tenant, entry["id"])
    return compose(tenant, place, entry, facts) if facts else None


def _entries(found: Any) -> Entries:
    """Return the entries of an XREADGROUP reply in either protocol version."""
    if not found:
        return []
    streams = list(found.values()) if isinstance(found, dict) else [found[0][1]]
    entries = streams[0][0] if isinstance(found, dict) else streams[0]
    return [(place, _fields(fields)) for place, fields in entries]


def _fields(fields: Any) -> Entry:
    if isinstance(fields, dict):
        return fields
    return dict(zip(fields[::2], fields[1::2], strict=True))
