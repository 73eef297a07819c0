"""Carries httpx2's requests to cluster-local `http://` addresses over plain asyncio (ADR 0009).

Whole requests, whole answers, connections kept alive. The library's own transport costs a cold
start some 30 ms of imports and each call twice the time; functions call each other many times a
step, and every one of those calls may be repeated without harm.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping

import httpx2
from httptools import HttpParserError, HttpResponseParser

READ_BYTES = 64 * 1024
Origin = tuple[str, int]


class _Stale(Exception):
    """A kept connection was closed by the other side before any of the answer came."""


class PlainTransport(httpx2.AsyncBaseTransport):
    """A pool of HTTP/1.1 connections; waits for a free one at its maximum."""

    def __init__(self, connections_max: int) -> None:
        self._free = asyncio.Semaphore(connections_max)
        self._idle: dict[Origin, list[_Wire]] = defaultdict(list)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Return the whole answer.

        Raises:
            UnsupportedProtocol: the address is not `http://`: this transport has no TLS.
            ConnectError, ConnectTimeout, ReadError, ReadTimeout, RemoteProtocolError: as httpx2.
        """
        if request.url.scheme != "http":
            raise httpx2.UnsupportedProtocol(f"{request.url}: only http:// inside the cluster")
        message = _message(request, await request.aread())
        timeouts: Mapping[str, float | None] = request.extensions.get("timeout", {})
        async with self._free:
            return await self._answered(request, message, timeouts)

    async def _answered(self, request: httpx2.Request, message: bytes,
                        timeouts: Mapping[str, float | None]) -> httpx2.Response:
        origin = (request.url.host, request.url.port or 80)
        while kept := self._idle[origin]:
            try:
                return await self._exchanged(kept.pop(), origin, message, timeouts)
            except _Stale:
                continue  # as if it had never been kept
        wire = await _connected(origin, timeouts.get("connect"))
        try:
            return await self._exchanged(wire, origin, message, timeouts)
        except _Stale as error:
            raise httpx2.RemoteProtocolError(f"{origin[0]}:{origin[1]} closed the connection "
                                             "without an answer") from error

    async def _exchanged(self, wire: "_Wire", origin: Origin, message: bytes,
                         timeouts: Mapping[str, float | None]) -> httpx2.Response:
        try:
            async with asyncio.timeout(timeouts.get("read")):
                answer = await wire.exchange(message)
        except TimeoutError as error:
            wire.close()
            raise httpx2.ReadTimeout(f"{origin[0]}:{origin[1]} does not answer") from error
        except BaseException:
            wire.close()
            raise
        if wire.is_reusable:
            self._idle[origin].append(wire)
        else:
            wire.close()
        return answer

    async def aclose(self) -> None:
        """Close the idle connections."""
        for wires in self._idle.values():
            for wire in wires:
                wire.close()
        self._idle.clear()


class _Wire:
    """One connection, one exchange at a time; the parser's callbacks fill in the answer."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._begin()

    def _begin(self) -> None:
        self._parser = HttpResponseParser(self)
        self._headers: list[tuple[bytes, bytes]] = []
        self._body = bytearray()
        self._is_whole = self.is_reusable = False

    async def exchange(self, message: bytes) -> httpx2.Response:
        """Send a request and return its answer."""
        self._begin()
        begun = False
        try:
            self._writer.write(message)
            await self._writer.drain()
            while not self._is_whole:
                data = await self._reader.read(READ_BYTES)
                if not data:
                    break
                begun = True
                self._parser.feed_data(data)
        except HttpParserError as error:
            raise httpx2.RemoteProtocolError(f"not HTTP: {error}") from error
        except OSError as error:
            if not begun:
                raise _Stale from error
            raise httpx2.ReadError(str(error)) from error
        return self._answer(begun=begun)

    def _answer(self, *, begun: bool) -> httpx2.Response:
        if not begun:
            raise _Stale
        if not self._is_whole:
            raise httpx2.RemoteProtocolError("the connection ended in the middle of an answer")
        return httpx2.Response(self._parser.get_status_code(), headers=self._headers,
                               content=bytes(self._body))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; the parser calls this."""
        self._headers.append((name, value))

    def on_body(self, data: bytes) -> None:
        """Keep a part of the body; the parser calls this."""
        self._body += data

    def on_message_complete(self) -> None:
        """Note the end, unless it is that of an interim answer; the parser calls this."""
        if self._parser.get_status_code() >= 200:
            self._is_whole = True
            self.is_reusable = self._parser.should_keep_alive()
        else:
            self._headers.clear()

    def close(self) -> None:
        """Close the connection."""
        self._writer.close()


def _message(request: httpx2.Request, body: bytes) -> bytes:
    lines = [request.method.encode() + b" " + request.url.raw_path + b" HTTP/1.1",
             *(name + b": " + value for name, value in request.headers.raw), b"", body]
    return b"\r\n".join(lines)


async def _connected(origin: Origin, timeout_s: float | None) -> _Wire:
    try:
        async with asyncio.timeout(timeout_s):
            return _Wire(*await asyncio.open_connection(*origin))
    except TimeoutError as error:
        raise httpx2.ConnectTimeout(f"{origin[0]}:{origin[1]} does not accept") from error
    except OSError as error:
        raise httpx2.ConnectError(f"{origin[0]}:{origin[1]}: {error}") from error
