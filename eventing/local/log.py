"""Keeps accepted events and the state of their deliveries in Redis, until every Trigger is done.

Keys of one broker (`<broker>` is `<namespace>/<name>`):

| key                     | type   | holds, until every Trigger is done                     |
|-------------------------|--------|--------------------------------------------------------|
| `broker:{<broker>}:log` | stream | accepted events, each with the Triggers it goes to     |
| `broker:{<broker>}:at`  | hash   | `<entry>/<Trigger>` → attempts, due time, dead or done |

An event is matched to Triggers once, when it is accepted, and the entry names them: they are its
consumer groups. A Trigger added later starts at the end of the stream.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from eventing.event import CONTEXT, Event
from shared.store import Redis, mapped, pipeline

PAGE = 500
SEQUENCE_BITS = 12
"""Entries of one millisecond: an entry's number stays below 2^53."""


@dataclass(slots=True)
class Entry:
    """One accepted event and the names of the Triggers that are not done with it."""

    id: str
    event: Event | None
    """`None` while too many are waiting: read again when its turn comes."""

    triggers: tuple[str, ...]
    traceparent: str | None = None
    open: set[str] = field(default_factory=set)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Keeps the note of one Trigger from arriving after the deletion by the last."""

    @property
    def offset(self) -> int:
        """A number for this entry, the same at each delivery."""
        milliseconds, _, sequence = self.id.partition("-")
        return (int(milliseconds) << SEQUENCE_BITS) + int(sequence)


@dataclass(slots=True)
class State:
    """How far one delivery is."""

    attempts: int = 0
    due_s: float = 0.0
    """Epoch seconds of the next attempt."""

    dead: dict[str, str] | None = None
    """Extensions of a dead letter that is on its way to the sink."""


class EventLog:
    """The durable side of one broker; every method raises `Unavailable` when Redis is away."""

    def __init__(self, redis: Redis, broker: str) -> None:
        self._redis = redis
        self._log = f"broker:{{{broker}}}:log"
        self._at = f"broker:{{{broker}}}:at"
        self._held: set[str] = set()
        """Entries that this process is delivering."""

    async def append(self, event: Event, triggers: Iterable[str],
                     traceparent: str | None) -> Entry:
        """Store an event for these Triggers; it is durable when this returns."""
        names = tuple(triggers)
        fields = {"event": _packed(event), "to": " ".join(names)}
        if event.data is not None:
            fields["data"] = event.data.decode("latin-1")
        if traceparent:
            fields["trace"] = traceparent
        with mapped():
            entry_id = await self._redis.xadd(self._log, fields)  # type: ignore[arg-type]
        self._held.add(str(entry_id))
        return Entry(str(entry_id), event, names, traceparent, set(names))

    async def event(self, entry: Entry) -> Event | None:
        """Return the entry's event, or `None` when it is gone."""
        if entry.event is not None:
            return entry.event
        found = await self._page(entry.id, entry.id)
        return _unpacked(found[0][1]) if found else None

    async def keep(self, entry: Entry, trigger: str, state: State) -> None:
        """Store how far a delivery is."""
        with mapped():
            await self._redis.hset(self._at, f"{entry.id}/{trigger}", json.dumps(asdict(state)))

    async def finish(self, entry: Entry, trigger: str) -> None:
        """Note that a Trigger is done with an entry; the last one deletes it. Idempotent."""
        async with entry.lock:
            entry.open.discard(trigger)
            await (self._note_done(entry, trigger) if entry.open else self._delete(entry))

    async def _note_done(self, entry: Entry, trigger: str) -> None:
        with mapped():
            await self._redis.hset(self._at, f"{entry.id}/{trigger}", "done")

    async def _delete(self, entry: Entry) -> None:
        async with pipeline(self._redis) as pipe:
            pipe.xdel(self._log, entry.id)
            pipe.hdel(self._at, *(f"{entry.id}/{name}" for name in entry.triggers))
            await pipe.execute()
        self._held.discard(entry.id)

    async def unfinished(self, before_ms: int | None = None,
                         ) -> AsyncIterator[tuple[Entry, dict[str, State]]]:
        """Yield entries that nobody here delivers with the states of their open deliveries.

        They were left by an earlier process, or stored although the call seemed to fail. Oldest
        first; only those stored before that epoch time, if given; from then on they are held.
        """
        states = await self._states()
        after = "-"
        while True:
            page = await self._page(after, "+" if before_ms is None else str(before_ms))
            for entry_id, fields in page:
                if entry_id not in self._held:
                    self._held.add(entry_id)
                    yield _entry(entry_id, fields, states)
            if len(page) < PAGE:
                return
            after = f"({page[-1][0]}"

    async def _states(self) -> dict[str, str]:
        with mapped():
            return cast("dict[str, str]", await self._redis.hgetall(self._at))

    async def _page(self, first: str, last: str) -> list[tuple[str, dict[str, str]]]:
        with mapped():
            found = await self._redis.xrange(self._log, first, last, count=PAGE)
        return cast("list[tuple[str, dict[str, str]]]", found)


def _entry(entry_id: str, fields: Mapping[str, str],
           states: Mapping[str, str]) -> tuple[Entry, dict[str, State]]:
    names = tuple(fields["to"].split())
    found = {name: states.get(f"{entry_id}/{name}", "{}") for name in names}
    still_open = {name: State(**json.loads(text)) for name, text in found.items() if text != "done"}
    entry = Entry(entry_id, _unpacked(fields), names, fields.get("trace"), set(still_open))
    return entry, still_open


def _packed(event: Event) -> str:
    context = {name: event.get(name) for name in CONTEXT if event.get(name) is not None}
    return json.dumps({"context": context, "extensions": dict(event.extensions)})


def _unpacked(fields: Mapping[str, str]) -> Event:
    document: dict[str, Any] = json.loads(fields["event"])
    data = fields["data"].encode("latin-1") if "data" in fields else None
    return Event(**document["context"], extensions=document["extensions"], data=data)
