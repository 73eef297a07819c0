"""Exchanges HTTP/1.1 messages over kept connections to `http://` addresses (ADR 0009).

Whole requests, whole answers, one exchange at a time on each connection. Every request may be
repeated without harm: one whose kept connection had been closed is sent again over a new one.
"""

import asyncio
from collections import defaultdict
from typing import NamedTuple, Self, cast

from httptools import HttpParserError, HttpResponseParser

from shared.errors import Transient

CONNECTIONS_MAX = 100
Origin = tuple[str, int]
"""Host and port."""


class Unreachable(Transient):
    """The address takes no connection."""


class Unaccepted(Transient):
    """The address took no connection in time."""


class Silent(Transient):
    """The other side did not answer in time."""


class Broken(Transient):
    """The connection ended before the answer did, or what came is not HTTP."""


class _Stale(Exception):
    """A connection was closed by the other side before any of the answer came."""


class Answer(NamedTuple):
    """A whole answer."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Wires:
    """A pool of connections; waits for a free one at its maximum."""

    def __init__(self, connections_max: int) -> None:
        self._free = asyncio.Semaphore(connections_max)
        self._idle: dict[Origin, list[_Wire]] = defaultdict(list)

    async def exchange(self, origin: Origin, message: bytes, *, connect_s: float | None,
                       answer_s: float | None) -> Answer:
        """Send a request as it goes over the wire; return its answer.

        Raises:
            Unreachable, Unaccepted, Silent, Broken: there is none, and why.
        """
        async with self._free:
            while kept := self._idle[origin]:
                try:
                    return await self._exchanged(kept.pop(), message, answer_s)
                except _Stale:
                    continue  # as if it had never been kept
            wire = await _Wire.opened(origin, connect_s)
            try:
                return await self._exchanged(wire, message, answer_s)
            except _Stale as error:
                raise Broken(f"{wire.name} closed the connection without an answer") from error

    async def _exchanged(self, wire: "_Wire", message: bytes, answer_s: float | None) -> Answer:
        try:
            answer = await wire.exchange(message, answer_s)
        except BaseException:
            wire.close()
            raise
        if wire.is_reusable:
            self._idle[wire.origin].append(wire)
        else:
            wire.close()
        return answer

    def close(self) -> None:
        """Close the idle connections."""
        for wires in self._idle.values():
            for wire in wires:
                wire.close()
        self._idle.clear()


class _Wire(asyncio.Protocol):
    """One connection; the parser's callbacks fill in the answer."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.name = f"{origin[0]}:{origin[1]}"
        self.is_reusable = False
        self._is_open = True
        self._parser = HttpResponseParser(self)
        self._begin()

    @classmethod
    async def opened(cls, origin: Origin, timeout_s: float | None) -> Self:
        """Return a new connection.

        Raises:
            Unreachable, Unaccepted: there is none, and why.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout_s):
                _, wire = await loop.create_connection(lambda: cls(origin), *origin)
        except TimeoutError as error:
            raise Unaccepted(f"{origin[0]}:{origin[1]} does not accept") from error
        except OSError as error:
            raise Unreachable(f"{origin[0]}:{origin[1]}: {error}") from error
        return wire

    def _begin(self) -> None:
        self._headers: list[tuple[bytes, bytes]] = []
        self._body = bytearray()
        self._has_begun = False
        self._answer: asyncio.Future[Answer] | None = None
        self._overdue: asyncio.TimerHandle | None = None

    def exchange(self, message: bytes, timeout_s: float | None) -> asyncio.Future[Answer]:
        """Send a request; return what becomes its answer."""
        loop = asyncio.get_running_loop()
        self._begin()
        self.is_reusable = False
        self._answer = loop.create_future()
        if not self._is_open:
            self._fail(_Stale())
            return self._answer
        if timeout_s is not None:
            self._overdue = loop.call_later(
                timeout_s, self._fail, Silent(f"{self.name} does not answer"))
        self._transport.write(message)
        return self._answer

    def close(self) -> None:
        """Close the connection; it is not used again."""
        self._is_open = False
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; the loop calls this."""
        self._transport = cast(asyncio.WriteTransport, transport)

    def data_received(self, data: bytes) -> None:
        """Take a part of an answer; the loop calls this."""
        if self._answer is None or self._answer.done():
            return self.close()  # said unasked
        self._has_begun = True
        try:
            self._parser.feed_data(data)
        except HttpParserError as error:
            self._fail(Broken(f"{self.name} answers no HTTP: {error}"))

    def connection_lost(self, error: Exception | None) -> None:
        """Note the end; the loop calls this."""
        self._is_open = False
        self._fail(Broken(f"{self.name} ended the connection in the middle of an answer")
                   if self._has_begun else _Stale())

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; the parser calls this."""
        self._headers.append((name, value))

    def on_body(self, data: bytes) -> None:
        """Keep a part of the body; the parser calls this."""
        self._body += data

    def on_message_complete(self) -> None:
        """Note the end, unless it is that of an interim answer; the parser calls this."""
        status = self._parser.get_status_code()
        if status < 200:
            self._headers.clear()
            return
        answer = self._ended()
        # Nobody asked for a second answer: whose would be the next one on this connection?
        self.is_reusable = answer is not None and self._parser.should_keep_alive()
        if answer is not None:
            answer.set_result(Answer(status, self._headers, bytes(self._body)))

    def _fail(self, error: Exception) -> None:
        if (answer := self._ended()) is not None:
            answer.set_exception(error)

    def _ended(self) -> asyncio.Future[Answer] | None:
        """Return who still waits for the answer, if anybody does."""
        if self._overdue is not None:
            self._overdue.cancel()
        return self._answer if self._answer and not self._answer.done() else None
