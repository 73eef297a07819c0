"""Runs brokers, functions and timers of a folder of manifests in one process.

```
POST ─▶ ingress ─▶ broker ─(Redis stream)─▶ dispatcher per Trigger ─▶ gate ─▶ process 0…n
HTTP ─▶ activator of a Service ───────────────────────────────────▶ gate ─▶ process 0…n
```
"""

import asyncio
import json
import os
from contextlib import AsyncExitStack, suppress
from functools import partial
from pathlib import Path
from socket import socket
from typing import Any, Self

import aiohttp
from aiohttp import web

from eventing.local.activator import Activator
from eventing.local.addresses import BROKER_INGRESS, Addresses, cluster_host, listen, url_of
from eventing.local.admin import Admin
from eventing.local.disturbance import Disturbance
from eventing.local.embedded_redis import EmbeddedRedis
from eventing.local.embedded_redis import start as start_redis
from eventing.local.environment import World
from eventing.local.ingress import Ingress
from eventing.local.manifests.deployment import Deployment, Key, load
from eventing.local.options import RuntimeOptions
from eventing.local.owner import sole_owner
from eventing.local.secrets import load_or_make
from eventing.local.wiring import Parts, Wiring
from shared.errors import Transient
from shared.store import connect, refuse_eviction

TICKS_PER_WINDOW = 10
TICK_MIN_S, TICK_MAX_S = 0.05, 2.0
KEEP_ALIVE_S = 4.0
"""Below the idle time-out of usual servers (5 s), so that no request meets a closing connection."""

REDIS_WATCH_S = 0.25
"""How soon an embedded Redis that died is started again."""

DOUBTS_WATCH_S = 1.0
"""How often to look for events whose storing seemed to fail."""

CLOSE_S = 1.0
"""Requests had their time before, while the functions were wound down."""

HEADER_BYTES_MAX = 64 * 1024
"""Read so far, so that the ingress can say 431 itself."""


class Runtime:
    """The embedded runtime, as an async context manager.

    Entering raises `Refused` for manifests, `PortTaken`, `FolderInUse`, `RedisNotStarted`,
    `ValueMissing` or `Unavailable`; leaving ends every process it has started. A later one on the
    same data folder takes up the events that this one had accepted.
    """

    def __init__(self, manifests: Path, options: RuntimeOptions) -> None:
        self.options = options
        self.disturbance = Disturbance()
        self.addresses: dict[str, str] = {}
        """Loopback address by name: every Service, `broker`, `dashboard`, `redis`."""

        self.left_out: tuple[str, ...] = ()
        """`Kind name: why` of each object that only a cluster has a use for."""

        self.no_effect = 0
        """How many fields of the others matter on a cluster only."""

        self._manifests = manifests
        self._stack = AsyncExitStack()
        self._parts: Parts | None = None
        self._wiring: Wiring | None = None
        self._embedded: EmbeddedRedis | None = None

    @property
    def parts(self) -> Parts:
        """What runs; for tests."""
        if self._parts is None:
            raise RuntimeError("the runtime is not entered")
        return self._parts

    async def __aenter__(self) -> Self:
        """Start everything; nothing is left running when this raises."""
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Finish what runs within `stop_s`, then end it."""
        await self._stack.aclose()

    def status(self) -> dict[str, Any]:
        """Return pid, addresses, functions and triggers, as `GET /status` does."""
        return {
            "pid": os.getpid(), "addresses": self.addresses, "left_out": self.left_out,
            "no_effect": self.no_effect,
            "functions": [service.status() for service in self.parts.services.values()],
            "triggers": [t for broker in self.parts.brokers.values() for t in broker.status()],
        }

    def reload_triggers(self) -> None:
        """Read the manifests again: Triggers start, change in place, or end.

        Raises:
            Refused: the manifests have faults; nothing changed.
        """
        deployment = load(self._manifests)
        if self._wiring is None:
            raise RuntimeError("the runtime is not entered")
        self._wiring.subscribe(deployment, self.parts)

    async def _start(self) -> None:
        deployment = load(self._manifests)
        self.left_out, self.no_effect = deployment.left_out, len(deployment.no_effect)
        (self.options.data_dir / "logs").mkdir(parents=True, exist_ok=True)
        self._stack.enter_context(sole_owner(self.options.data_dir))
        listeners = self._listen(deployment)
        redis_url, broker_url = self._redis()
        world = World(deployment, load_or_make(self.options.data_dir), self._hosts(listeners),
                      self.options, redis_url)
        redis = connect(broker_url)
        self._stack.push_async_callback(redis.connection_pool.aclose)
        await refuse_eviction(redis)
        session = await self._stack.enter_async_context(_session())
        self._wiring = Wiring(world, redis, session, self.disturbance)
        parts = self._parts = self._wiring.parts()
        await self._serve(parts, session, listeners)
        self._stack.push_async_callback(self._wind_down, parts)
        for broker in parts.brokers.values():
            await broker.recover()
        self._begin_work(parts)
        self._write_state()

    def _listen(self, deployment: Deployment) -> dict[Key, socket]:
        wanted = {key: self.options.port if key[1] == self.options.gateway else 0
                  for key in deployment.services}
        found: dict[Key, socket] = {}
        for key in (*wanted, ("", "broker"), ("", "dashboard")):
            found[key] = listen(wanted.get(key, 0))
            self._stack.callback(found[key].close)
        self.addresses = {key[1]: url_of(listener) for key, listener in found.items()}
        first = next(iter(deployment.brokers), None)
        if first:
            self.addresses["broker"] += "/" + "/".join(first)
        return found

    def _hosts(self, listeners: dict[Key, socket]) -> Addresses:
        urls = {cluster_host(*key): url_of(listener)
                for key, listener in listeners.items() if key[0]}
        return Addresses({**urls, BROKER_INGRESS: url_of(listeners["", "broker"])})

    def _redis(self) -> tuple[str, str]:
        url = self.options.redis_url
        if url is None:
            folder = self.options.data_dir / "redis"
            server = start_redis(folder, durable=True)
            self._stack.callback(server.stop)
            self._embedded = server
            self.addresses["redis"] = server.url
            return server.socket_url, server.socket_url
        self.addresses["redis"] = url
        return url, url

    async def _serve(self, parts: Parts, session: aiohttp.ClientSession,
                     listeners: dict[Key, socket]) -> None:
        handlers: dict[Key, Any] = {
            key: Activator(service, parts.timeouts_s[key], session).handle
            for key, service in parts.services.items() if not service.is_direct}
        for key, service in parts.services.items():
            if service.is_direct:
                service.share(listeners[key])
        handlers["", "broker"] = Ingress(parts.brokers).handle
        disturbance = self.disturbance if self.options.disturbable else None
        handlers["", "dashboard"] = Admin(self.status, parts.journal, disturbance).handle
        for key, handler in handlers.items():
            server = web.Server(handler, handler_cancellation=True, access_log=None,
                                max_field_size=HEADER_BYTES_MAX, auto_decompress=False)
            tcp = await asyncio.get_running_loop().create_server(server, sock=listeners[key])
            self._stack.push_async_callback(_close, server, tcp)

    def _begin_work(self, parts: Parts) -> None:
        work = [asyncio.create_task(self._adjust(parts)), asyncio.create_task(_doubts(parts))]
        if self._embedded:
            work.append(asyncio.create_task(self._keep_redis(self._embedded, parts)))
        work += [asyncio.create_task(timer.run(parts.journal, self.options.scale.timers))
                 for timer in parts.timers]
        for task in work:
            self._stack.callback(task.cancel)

    async def _adjust(self, parts: Parts) -> None:
        windows = [service.limits.window_s for service in parts.services.values()]
        every_s = min(windows, default=TICK_MAX_S) / TICKS_PER_WINDOW
        while True:
            for service in parts.services.values():
                service.adjust()
            await asyncio.sleep(min(TICK_MAX_S, max(TICK_MIN_S, every_s)))

    async def _keep_redis(self, server: EmbeddedRedis, parts: Parts) -> None:
        while True:
            await asyncio.sleep(REDIS_WATCH_S)
            if server.revive():
                parts.journal.note("redis_restarted", pid=server.pid)

    async def _wind_down(self, parts: Parts) -> None:
        """End calls and processes while the ingress still takes what they publish."""
        half_s = self.options.stop_s / 2
        await asyncio.gather(*(broker.quiet(half_s) for broker in parts.brokers.values()))
        await asyncio.gather(*(service.stop(half_s) for service in parts.services.values()))
        await asyncio.gather(*(broker.stop() for broker in parts.brokers.values()))

    def _write_state(self) -> None:
        file = self.options.data_dir / "runtime.json"
        text = json.dumps({"pid": os.getpid(), "addresses": self.addresses}, indent=2)
        file.with_suffix(".new").write_text(text + "\n")
        file.with_suffix(".new").replace(file)
        self._stack.callback(partial(file.unlink, missing_ok=True))


async def _doubts(parts: Parts) -> None:
    while True:
        await asyncio.sleep(DOUBTS_WATCH_S)
        for broker in parts.brokers.values():
            with suppress(Transient):
                await broker.resolve_doubts()


async def _close(server: web.Server, tcp: asyncio.Server) -> None:
    tcp.close()
    server.pre_shutdown()  # idle connections end at once
    await server.shutdown(CLOSE_S)


def _session() -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_S)
    return aiohttp.ClientSession(
        connector=connector, timeout=aiohttp.ClientTimeout(total=None, sock_connect=30),
        auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar())
