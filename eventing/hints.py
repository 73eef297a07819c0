"""Wakes waiters when a task changes: one Redis subscription per process.

Hints may be lost; whoever waits also reads the task's stream every `STREAM_POLL_S`.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

from eventing import stopping
from shared.store import Redis, Unavailable, mapped
from shared.tasks.keys import HINTS

RESUBSCRIBE_S = 1.0


class Waiter:
    """What one waiter is told: that something changed, and pieces of streamed text."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()
        self.texts: list[str] = []

    def tell(self, text: str) -> None:
        """Wake the waiter; `text` is a streamed piece or empty."""
        if text:
            self.texts.append(text)
        self._changed.set()

    async def wait(self, timeout_s: float) -> None:
        """Return at the next hint, or after the timeout."""
        try:
            await asyncio.wait_for(self._changed.wait(), timeout_s)
        except TimeoutError:
            return
        self._changed.clear()


class Hints:
    """The process's subscription, begun with its first waiter."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._waiters: dict[str, set[Waiter]] = defaultdict(set)
        self._listening: asyncio.Task[None] | None = None
        self._subscribed = asyncio.Event()

    @asynccontextmanager
    async def waiter(self, tenant: str, task_id: str) -> AsyncIterator[Waiter]:
        """Listen for one task; subscribed before the block runs, unless Redis is away.

        The waiter is woken when the process is asked to stop, too.
        """
        waiter, about = Waiter(), f"{tenant} {task_id}"
        self._waiters[about].add(waiter)  # first, or the subscription would find nobody and end
        try:
            if self._listening is None or self._listening.done():
                self._listening = asyncio.create_task(self._listen())
            with suppress(TimeoutError):  # reading the stream at intervals is enough
                await asyncio.wait_for(self._subscribed.wait(), RESUBSCRIBE_S)
            with stopping.woken(partial(waiter.tell, "")):
                yield waiter
        finally:
            self._waiters[about].discard(waiter)
            if not self._waiters[about]:
                del self._waiters[about]

    async def _listen(self) -> None:
        while self._waiters or not self._subscribed.is_set():
            try:
                with mapped():
                    await self._subscription()
            except Unavailable:
                await asyncio.sleep(RESUBSCRIBE_S)
            finally:
                self._subscribed.clear()
            if not self._waiters:
                return

    async def _subscription(self) -> None:
        async with self._redis.pubsub() as channel:
            await channel.subscribe(HINTS)
            self._subscribed.set()
            self._tell_all()  # what was said before the subscription is in the stream
            idle = False
            while self._waiters or not idle:
                message = await channel.get_message(
                    ignore_subscribe_messages=True, timeout=RESUBSCRIBE_S)
                idle = message is None and not self._waiters
                if message is not None:
                    self._dispatch(message["data"])

    def _tell_all(self) -> None:
        for waiters in self._waiters.values():
            for waiter in waiters:
                waiter.tell("")

    def _dispatch(self, data: str) -> None:
        tenant, _, rest = data.partition(" ")
        task_id, _, text = rest.partition(" ")
        for waiter in self._waiters.get(f"{tenant} {task_id}", ()):
            waiter.tell(text)
