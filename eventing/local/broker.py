"""Takes events, stores them, and hands them to every Trigger that matches."""

import asyncio
import time
from collections.abc import Iterable
from typing import Any

from eventing.event import Event
from eventing.local.dispatch import Delivery, Dispatcher, Subscription
from eventing.local.disturbance import Disturbance
from eventing.local.journal import Journal
from eventing.local.log import Entry, EventLog, State
from shared.clock import rfc3339
from shared.errors import Transient

RESIDENT_MAX = 2000
"""Waiting events kept in memory; the others are read again when their turn comes."""

DOUBT_AGE_S = 10.0
"""After a failed store: longer than any call of Redis lasts, so that its outcome is visible."""


class Broker:
    """A Kafka-class broker without order: durable before it answers, at least once after."""

    def __init__(self, key: tuple[str, str], log: EventLog, journal: Journal, *,
                 backoff: float = 1.0, disturbance: Disturbance | None = None) -> None:
        self.key = key
        self.disturbance = disturbance or Disturbance()
        self._log, self._journal, self._backoff = log, journal, backoff
        self._dispatchers: dict[str, Dispatcher] = {}
        self._in_doubt, self._doubted_s = False, 0.0
        self._gone: list[Dispatcher] = []
        """Deleted ones, whose last calls may still run."""

    def subscribe(self, subscription: Subscription) -> None:
        """Add a Trigger, which sees events from now on, or change the one of that name in place."""
        if known := self._dispatchers.get(subscription.name):
            known.subscription = subscription
            return
        self._dispatchers[subscription.name] = Dispatcher(
            subscription, self._log, accept=self.accept, journal=self._journal,
            backoff=self._backoff)

    def unsubscribe(self, names: Iterable[str]) -> None:
        """Delete Triggers; what they had not delivered is lost, as on a cluster."""
        for name in names:
            self._gone.append(dispatcher := self._dispatchers.pop(name))
            dispatcher.pause()

    @property
    def triggers(self) -> frozenset[str]:
        """Names of the Triggers there are."""
        return frozenset(self._dispatchers)

    async def accept(self, event: Event, traceparent: str | None = None) -> None:
        """Store an event for every matching Trigger and start to deliver it.

        An event that nothing wants is dropped, as it would end unread on a topic.

        Raises:
            Unavailable: Redis is away; nothing was accepted.
        """
        self._journal.event(event)
        names = [n for n, d in self._dispatchers.items() if d.subscription.matches(event)]
        if not names:
            self._journal.note("unrouted", type=event.type, id=event.id)
            return
        entry = await self._stored(event, names, traceparent)
        if sum(d.pending for d in self._dispatchers.values()) > RESIDENT_MAX:
            entry.event = None
        for name in names:
            self._hand_over(entry, name, event)

    async def recover(self, age_s: float = 0.0) -> int:
        """Take up stored events of at least that age that nobody here delivers; return how many.

        Idempotent. At the start these are what an earlier runtime left; later, events whose
        storing seemed to fail.
        """
        taken = 0
        before_ms = int((time.time() - age_s) * 1000) if age_s else None
        async for entry, states in self._log.unfinished(before_ms):
            for name, state in states.items():
                if name in self._dispatchers:
                    taken += 1
                    self._dispatchers[name].offer(Delivery(entry, state))
                else:
                    await self._log.finish(entry, name)
        return taken

    async def resolve_doubts(self) -> None:
        """Deliver what was stored although the sender was told otherwise; cheap when there is none.

        Raises:
            Unavailable: Redis is still away.
        """
        if self._in_doubt and time.monotonic() > self._doubted_s + DOUBT_AGE_S:
            await self.recover(DOUBT_AGE_S)
            self._in_doubt = False

    async def quiet(self, timeout_s: float) -> None:
        """Start no further calls, and wait until those in flight are answered or time is over."""
        for dispatcher in self._dispatchers.values():
            dispatcher.pause()
        deadline = time.monotonic() + timeout_s
        while any(d.in_flight for d in self._dispatchers.values()):
            if time.monotonic() > deadline:
                return
            await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """Give up every call in flight."""
        every = (*self._dispatchers.values(), *self._gone)
        await asyncio.gather(*(dispatcher.stop() for dispatcher in every))

    def status(self) -> list[dict[str, Any]]:
        """Return name, pending, delivered, retried, dead and lost per Trigger."""
        return [{"name": name, "pending": d.pending, "delivered": d.counts.delivered,
                 "retried": d.counts.retried, "dead": d.counts.dead, "lost": d.counts.lost,
                 "subscriber": d.subscription.subscriber.address}
                for name, d in self._dispatchers.items()]

    async def _stored(self, event: Event, names: list[str], traceparent: str | None) -> Entry:
        try:
            return await self._log.append(event, names, traceparent)
        except Transient:
            self._in_doubt, self._doubted_s = True, time.monotonic()
            raise

    def _hand_over(self, entry: Entry, name: str, event: Event) -> None:
        dispatcher = self._dispatchers[name]
        if self.disturbance.drops(name, event.type):
            self._journal.note("dropped", trigger=name, id=event.id, at=rfc3339(time.time()))
            task = asyncio.create_task(self._log.finish(entry, name))
            task.add_done_callback(lambda done: done.exception())
            return
        dispatcher.offer(Delivery(entry, State(due_s=self._due_s())))
        if self.disturbance.twice:
            dispatcher.offer(Delivery(entry, State(due_s=self._due_s()), shadow=True))

    def _due_s(self) -> float:
        delay_s = self.disturbance.delay_s()
        return time.time() + delay_s if delay_s else 0.0
