"""A server that answers as it is told and remembers what it was sent."""

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

HOST = os.environ.get("TOLLGATE_TEST_HOST") or "127.0.0.1"
"""Where subscribers listen: an address that the broker's dispatcher reaches."""

TIMEOUT_S = 30.0
ADDED = ("knativekafka", "knativearrivaltime", "knativebrokerttl")
"""What transports put on an event."""


@dataclass(frozen=True)
class Reply:
    status: int = 202
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    wait_s: float = 0.0


@dataclass(frozen=True)
class Received:
    method: str
    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.time)
    """Seconds since 1970."""

    def attributes(self) -> dict[str, str]:
        """The `ce-` headers without their prefix and without what the transport adds."""
        named = {n.removeprefix("ce-"): v for n, v in self.headers.items() if n.startswith("ce-")}
        return {n: v for n, v in named.items() if not n.startswith(ADDED)}


class Subscriber:
    def __init__(self, *replies: Reply, then: Reply = Reply()) -> None:
        self._replies, self._then = list(replies), then
        self.received: list[Received] = []
        self._changed = asyncio.Condition()
        self._server = web.Server(self._handle, access_log=None, handler_cancellation=True)
        self._tcp: asyncio.Server | None = None
        self.url = ""

    async def start(self, port: int = 0) -> "Subscriber":
        loop = asyncio.get_running_loop()
        self._tcp = await loop.create_server(self._server, HOST, port)
        self.url = f"http://{HOST}:{self._tcp.sockets[0].getsockname()[1]}/"
        return self

    async def stop(self) -> None:
        if self._tcp:
            self._tcp.close()
        await self._server.shutdown(0.01)

    async def wait_for(self, count: int) -> list[Received]:
        return await self.wait_until(lambda: len(self.received) >= count)

    async def wait_until(self, holds: Callable[[], bool]) -> list[Received]:
        async with asyncio.timeout(TIMEOUT_S), self._changed:
            await self._changed.wait_for(holds)
        return self.received

    def ids(self) -> list[str]:
        return [one.headers["ce-id"] for one in self.received]

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        one = Received(request.method, headers, await request.read())
        reply = self._replies.pop(0) if self._replies else self._then
        async with self._changed:
            self.received.append(one)
            self._changed.notify_all()
        if reply.wait_s:
            await asyncio.sleep(reply.wait_s)
        return web.Response(status=reply.status, headers=reply.headers, body=reply.body)


def refusing(count: int, status: int = 409) -> list[Reply]:
    return [Reply(status)] * count
