"""Places and lifts stops, so that the very next reserve knows (ADR 0033).

The stop is written first, then the version of every tenant's limits is raised: a reserve that was
worked out before is answered STALE by its script, reads again, and finds the stop. The script
itself does not change, nor does what a reserve costs. What a ledger that died left undone, the
one that publishes the event does.
"""

import logging
from typing import Any

from eventing.event import Event
from eventing.publish import Publisher
from eventing.types_stop import STOP_TYPES, StopLifted, StopPayload, StopPlaced
from functions.ledger import keys
from functions.ledger.stops import Stop, StopBody, StopKind, field_of
from functions.ledger.store import Store
from shared.clock import rfc3339
from shared.errors import NotFound, TooLarge
from shared.faults import FaultPoint, reach
from shared.ids import derived
from shared.limits import STOPS_MAX
from shared.store import mapped

log = logging.getLogger(__name__)
PAYLOADS: dict[str, type[StopPayload]] = {payload.TYPE: payload for payload in STOP_TYPES}


class Switch:
    """The kill switch."""

    def __init__(self, store: Store, publisher: Publisher) -> None:
        self._store, self._publisher = store, publisher
        self._redis: Any = store.redis

    async def every(self) -> list[Stop]:
        """Return all stops, the oldest first."""
        found = await self._store.stops()
        return sorted(found.placed.values(), key=lambda stop: (stop.at, stop.field))

    async def place(self, kind: StopKind, name: str, body: StopBody) -> Stop:
        """Stop it; once this returns no reserve of it succeeds. The same again is harmless.

        Raises:
            TooLarge: there are `STOPS_MAX` already. Unavailable: Redis is away, ask again.
        """
        placed = (await self._store.stops()).placed
        before = placed.get(field_of(kind, name))
        if before is None and len(placed) >= STOPS_MAX:
            raise TooLarge(f"there are {STOPS_MAX} stops: lift some, or stop all")
        at = before.at if before else await self._store.now()
        stop = Stop(kind=kind, name=name, at=at, **dict(body))
        if stop != before:
            await self._write(stop, StopPlaced.TYPE)
        await self._raise_versions()
        return stop

    async def lift(self, kind: StopKind, name: str) -> Stop:
        """Let it spend again; the tasks that waited are woken as it is announced.

        Raises:
            NotFound: it is not stopped. Unavailable: Redis is away, ask again.
        """
        stop = (await self._store.stops()).placed.get(field_of(kind, name))
        if stop is None:
            raise NotFound(f"{kind} {name} is not stopped")
        await self._write(stop, StopLifted.TYPE)
        await self._raise_versions()
        return stop

    async def announce(self) -> int:
        """Finish and publish what was not yet; at least once, in order. Return how many.

        Raises:
            Transient: the broker or Redis is away; the rest is published by the next call.
        """
        count = 0
        while True:
            with mapped():
                text = await self._redis.lindex(keys.STOPS_OUT, 0)
            if text is None:
                return count
            await self._raise_versions(wakes=text.startswith(StopLifted.TYPE))
            await self._publisher.publish(_event(text))
            await reach(FaultPoint.STOP_AFTER_PUBLISH)
            with mapped():
                await self._redis.lrem(keys.STOPS_OUT, 1, text)
            count += 1

    async def _write(self, stop: Stop, kind: str) -> None:
        now = await self._store.now()
        entry = f"{kind} {now} {stop.model_dump_json()}"
        with mapped():
            async with self._redis.pipeline(transaction=True) as pipe:
                if kind == StopPlaced.TYPE:
                    pipe.hset(keys.STOPS, stop.field, stop.model_dump_json())
                else:
                    pipe.hdel(keys.STOPS, stop.field)
                pipe.rpush(keys.STOPS_OUT, entry)
                await pipe.execute()
        log.warning("%s %s %s", kind, stop.field, stop.reason)
        await reach(FaultPoint.STOP_AFTER_WRITE)

    async def _raise_versions(self, *, wakes: bool = False) -> None:
        for tenant in await self._store.tenants():
            with mapped():
                version = await self._redis.hincrby(keys.limits(tenant), "version", 1)
                if wakes:
                    await self._redis.set(keys.wake(tenant), version)
            await reach(FaultPoint.STOP_BETWEEN_TENANTS)


def _event(text: str) -> Event:
    kind, at, body = text.split(" ", 2)
    stop = Stop.model_validate_json(body)
    payload = PAYLOADS[kind](**stop.model_dump(exclude={"at"}))
    return Event.of(
        payload, type=kind, id=derived(kind, stop.field, at), source="/ledger",
        subject=stop.field, time=rfc3339(float(at)), partitionkey=stop.field)
