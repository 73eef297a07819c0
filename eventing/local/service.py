"""A function that scales from zero to its maximum and back, and the gate in front of it."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from socket import socket
from typing import Any

import aiohttp

from eventing.local.demand import Limits, Peak
from eventing.local.instance import Instance, NotStarted, Program, launch
from eventing.local.journal import Journal

RESTART_WAIT_S, RESTART_WAIT_MAX_S = 0.2, 10.0
"""After a failed start; doubles, so that a broken function does not eat the machine."""

logger = logging.getLogger(__name__)


class Unserved(Exception):
    """The request gets a 503: the queue is full, or no process can be started."""


class Service:
    """The processes of one function and the requests that wait for them."""

    def __init__(self, program: Program, limits: Limits, session: aiohttp.ClientSession,
                 journal: Journal) -> None:
        self.name, self.limits = program.name, limits
        self._program, self._session, self._journal = program, session, journal
        self._instances: list[Instance] = []
        self._waiting: deque[asyncio.Future[Instance]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._peak = Peak(limits.window_s)
        self._failures, self._closed_until_s, self._reason = 0, 0.0, ""
        self._starting = 0
        self._woken = self._slept = self._processes_max = 0
        self._stopped = False
        self._shared: socket | None = None

    def share(self, listener: socket) -> None:
        """Let the processes take requests from the Service's own address by themselves.

        For a Service that is always up and has no gate: Knative, too, leaves the activator out of
        the path of one (ADR 0011).
        """
        self._shared = listener

    @property
    def is_direct(self) -> bool:
        """Tell whether the Service needs neither a gate nor a start from zero."""
        return self.limits.min_scale > 0 and self.limits.concurrency == 0

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[Instance]:
        """Yield a ready process with room for one more request; start one if need be.

        Raises:
            Unserved: too many wait already, or the function does not start.
        """
        instance = (None if self._waiting else self._free()) or await self._wait()
        try:
            yield instance
        finally:
            self._release(instance)

    def unreachable(self, instance: Instance) -> None:
        """Give no more requests to a process that refused a connection: it has ended."""
        instance.ready = False

    def adjust(self) -> None:
        """Start what the minimum lacks; stop what the window has shown to be too much.

        Called now and then; load starts processes by itself.
        """
        alive = [i for i in self._instances if not i.stopping]
        if len(alive) < self.limits.min_scale and not self._closed:
            self._scale_up()
        needed = self.limits.wanted(self._peak.within(time.monotonic()))
        idle = [i for i in alive if i.ready and i.in_flight == 0]
        for instance in idle[:max(0, len(alive) - needed)]:
            instance.stopping = True
            self._spawn(instance.stop())

    async def stop(self, timeout_s: float) -> None:
        """End every process: SIGTERM now, SIGKILL when the time is over."""
        self._stopped = True
        self._refuse("the runtime stops")
        endings = [asyncio.create_task(i.stop()) for i in list(self._instances)]
        if endings:
            await asyncio.wait(endings, timeout=timeout_s)
        for instance in list(self._instances):
            instance.kill()
        await asyncio.gather(*endings, *self._tasks, return_exceptions=True)

    def status(self) -> dict[str, Any]:
        """Return replicas and counts for the admin API."""
        return {"name": self.name, "replicas": len(self._instances),
                "ready": sum(i.ready for i in self._instances), "woken": self._woken,
                "slept": self._slept, "processes_max": self._processes_max,
                "in_flight": sum(i.in_flight for i in self._instances),
                "waiting": len(self._waiting), "pids": [i.pid for i in self._instances]}

    @property
    def _closed(self) -> bool:
        return self._stopped or time.monotonic() < self._closed_until_s

    def _free(self) -> Instance | None:
        room = [i for i in self._instances if i.ready and not i.stopping
                and (not self.limits.concurrency or i.in_flight < self.limits.concurrency)]
        return self._take(min(room, key=lambda i: i.in_flight)) if room else None

    def _take(self, instance: Instance) -> Instance:
        instance.in_flight += 1
        self._note_load()
        return instance

    def _release(self, instance: Instance) -> None:
        instance.in_flight -= 1
        self._hand_out()
        self._note_load()

    async def _wait(self) -> Instance:
        if self._closed:
            raise Unserved(self._reason)
        if len(self._waiting) >= self.limits.queue_max * max(1, len(self._instances)):
            raise Unserved(f"{self.name}: {len(self._waiting)} requests wait already")
        ticket: asyncio.Future[Instance] = asyncio.get_running_loop().create_future()
        self._waiting.append(ticket)
        self._note_load()
        self._scale_up()
        try:
            return await ticket
        except asyncio.CancelledError:
            self._give_back(ticket)
            raise

    def _give_back(self, ticket: "asyncio.Future[Instance]") -> None:
        if ticket in self._waiting:
            self._waiting.remove(ticket)
            self._note_load()
        elif ticket.done() and not ticket.cancelled() and not ticket.exception():
            self._release(ticket.result())

    def _hand_out(self) -> None:
        while self._waiting:
            if self._waiting[0].done():
                self._waiting.popleft()
            elif instance := self._free():
                self._waiting.popleft().set_result(instance)
            else:
                return

    def _note_load(self) -> None:
        load = len(self._waiting) + sum(i.in_flight for i in self._instances)
        self._peak.note(load, time.monotonic())
        if self._waiting:
            self._scale_up()

    def _scale_up(self) -> None:
        alive = sum(not i.stopping for i in self._instances) + self._starting
        for _ in range(self.limits.wanted(self._peak.level) - alive):
            self._starting += 1
            self._spawn(self._begin())

    async def _begin(self) -> None:
        try:
            instance = await launch(self._program, self._shared)
        finally:
            self._starting -= 1
        self._joined(instance)
        self._spawn(self._watch(instance))
        try:
            await instance.become_ready(self._session)
        except NotStarted as error:
            self._start_failed(instance, str(error))
            return
        self._failures = 0
        took_s = time.monotonic() - instance.started_s
        self._journal.note("ready", function=self.name, pid=instance.pid, took_s=round(took_s, 3))
        self._hand_out()

    def _joined(self, instance: Instance) -> None:
        if not self._instances:
            self._woken += 1
            self._journal.note("woke", function=self.name, pid=instance.pid)
        self._instances.append(instance)
        self._processes_max = max(self._processes_max, len(self._instances))

    def _left(self, instance: Instance) -> None:
        self._instances.remove(instance)
        if not self._instances:
            self._slept += 1
            self._journal.note("slept", function=self.name, pid=instance.pid,
                               status=instance.process.returncode)

    async def _watch(self, instance: Instance) -> None:
        status = await instance.process.wait()
        instance.ready = False
        instance.kill()
        self._left(instance)
        if not instance.stopping:
            logger.warning("%s: process %d ended with status %s", self.name, instance.pid, status)
            self._journal.note("died", function=self.name, pid=instance.pid, status=status)
        if self._waiting and not self._closed:
            self._scale_up()

    def _start_failed(self, instance: Instance, reason: str) -> None:
        instance.stopping = True
        instance.kill()
        self._failures += 1
        wait_s = min(RESTART_WAIT_MAX_S, RESTART_WAIT_S * 2 ** (self._failures - 1))
        self._closed_until_s, self._reason = time.monotonic() + wait_s, reason
        self._journal.note("not_started", function=self.name, pid=instance.pid, reason=reason)
        logger.error("%s", reason)
        if not any(i.ready for i in self._instances):
            self._refuse(reason)

    def _refuse(self, reason: str) -> None:
        self._reason = reason
        while self._waiting:
            ticket = self._waiting.popleft()
            if not ticket.done():
                ticket.set_exception(Unserved(reason))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
