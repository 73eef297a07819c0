"""Delivers accepted events to one Trigger's subscriber: attempts, waits, replies, dead letters."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from eventing.event import Event
from eventing.local.filters import Predicate
from eventing.local.journal import Journal
from eventing.local.log import Entry, EventLog, State
from eventing.local.policy import Done, Failed, Policy, Reply, judge
from eventing.local.wire import Answer, Message, NoAnswer, Sink, message_of
from shared.errors import Transient

IN_FLIGHT_MAX = 100
"""Calls of one Trigger at once, as a Kafka-class dispatcher without order has them."""

STORE_WAIT_S = 0.5
"""Between attempts to note a result while Redis is away."""

logger = logging.getLogger(__name__)
T = TypeVar("T")
Accept = Callable[[Event, str | None], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Subscription:
    """One Trigger, resolved: what it accepts, whom it calls, how."""

    name: str
    namespace: str
    matches: Predicate
    subscriber: Sink
    policy: Policy = field(default_factory=Policy)


@dataclass(slots=True)
class Delivery:
    """One event on its way to one subscriber."""

    entry: Entry
    state: State
    shadow: bool = False
    """A second copy made by a test: it lives in memory only."""


@dataclass(slots=True)
class Counts:
    """What the admin API tells of a Trigger."""

    delivered: int = 0
    retried: int = 0
    dead: int = 0
    lost: int = 0


class Dispatcher:
    """The deliveries of one Trigger."""

    def __init__(self, subscription: Subscription, log: EventLog, *, accept: Accept,
                 journal: Journal, backoff: float = 1.0) -> None:
        self.subscription = subscription
        self.counts = Counts()
        self._log, self._accept, self._journal, self._backoff = log, accept, journal, backoff
        self._queue: deque[Delivery] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._timers: set[asyncio.TimerHandle] = set()
        self._stopped = False

    @property
    def pending(self) -> int:
        """Deliveries that are not done."""
        return len(self._queue) + len(self._running) + len(self._timers)

    @property
    def in_flight(self) -> int:
        """Calls that are not answered."""
        return len(self._running)

    def offer(self, delivery: Delivery) -> None:
        """Deliver when it is due and a call is free; never waits."""
        wait_s = delivery.state.due_s - time.time()
        if self._stopped:
            return
        if wait_s > 0:
            self._offer_in(wait_s, delivery)
        else:
            self._queue.append(delivery)
            self._start_next()

    def _offer_in(self, wait_s: float, delivery: Delivery) -> None:
        def due() -> None:
            self._timers.discard(timer)
            delivery.state.due_s = 0.0
            self.offer(delivery)
        timer = asyncio.get_running_loop().call_later(wait_s, due)
        self._timers.add(timer)

    def pause(self) -> None:
        """Start no further calls; what waits stays in the log."""
        self._stopped = True
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._queue.clear()

    async def stop(self) -> None:
        """Give up the calls in flight; they are repeated by the next runtime."""
        self.pause()
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _start_next(self) -> None:
        while self._queue and len(self._running) < IN_FLIGHT_MAX:
            task = asyncio.create_task(self._deliver(self._queue.popleft()))
            self._running.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.error("delivery of %s broke", self.subscription.name, exc_info=error)
        self._start_next()

    async def _deliver(self, delivery: Delivery) -> None:
        event = await self._stored(lambda: self._log.event(delivery.entry))
        if event is None:
            return
        verdict = judge(await self._call(delivery, event))
        if isinstance(verdict, Reply):
            verdict = await self._reenter(verdict, delivery)
        delivery.state.attempts += 1
        if isinstance(verdict, Failed):
            await self._failed(delivery, verdict)
        else:
            self.counts.delivered += 1
            await self._finish(delivery)

    async def _call(self, delivery: Delivery, event: Event) -> Answer | None:
        to, dead = self._sink_of(delivery), delivery.state.dead
        message = self._message(delivery, event.extended(**dead) if dead else event)
        try:
            return await to.post(message, self.subscription.policy.timeout_s)
        except NoAnswer as error:
            self._journal.note("no_answer", trigger=self.subscription.name, id=event.id,
                               reason=str(error))
            return None

    def _sink_of(self, delivery: Delivery) -> Sink:
        sink = self.subscription.policy.sink
        return self.subscription.subscriber if delivery.state.dead is None or sink is None else sink

    def _message(self, delivery: Delivery, event: Event) -> Message:
        entry = delivery.entry
        return message_of(event, self.subscription.namespace, entry.offset, entry.traceparent)

    async def _reenter(self, reply: Reply, delivery: Delivery) -> Done | Failed:
        try:
            await self._accept(reply.event, delivery.entry.traceparent)
        except Transient:
            return Failed(again=True)
        return Done()

    async def _failed(self, delivery: Delivery, failure: Failed) -> None:
        policy, state = self.subscription.policy, delivery.state
        wait_s = policy.wait_s(state.attempts) if failure.again else None
        if wait_s is not None:
            self.counts.retried += 1
            state.due_s = time.time() + wait_s * self._backoff
            await self._postpone(delivery)
        elif state.dead is None and policy.sink is not None:
            self.counts.dead += 1
            state.dead = failure.extensions(self.subscription.subscriber.address)
            state.attempts, state.due_s = 0, 0.0
            self._note_dead(delivery, failure)
            await self._postpone(delivery)
        else:
            self.counts.lost += 1
            self._note_dead(delivery, failure, kind="lost")
            await self._finish(delivery)

    def _note_dead(self, delivery: Delivery, failure: Failed, kind: str = "dead_letter") -> None:
        event = delivery.entry.event
        self._journal.note(kind, trigger=self.subscription.name, id=event.id if event else None,
                           type=event.type if event else None, code=failure.code,
                           task=event.extensions.get("taskid") if event else None)

    async def _postpone(self, delivery: Delivery) -> None:
        if not delivery.shadow:
            entry, name = delivery.entry, self.subscription.name
            await self._stored(lambda: self._log.keep(entry, name, delivery.state))
        self.offer(delivery)

    async def _finish(self, delivery: Delivery) -> None:
        if not delivery.shadow:
            entry, name = delivery.entry, self.subscription.name
            await self._stored(lambda: self._log.finish(entry, name))

    async def _stored(self, call: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                return await call()
            except Transient as error:
                logger.warning("%s: %s", self.subscription.name, error)
                await asyncio.sleep(STORE_WAIT_S)
