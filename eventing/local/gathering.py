"""Writes an answer's head and body at once: uvicorn writes each by itself.

A write to a socket is a tenth of a short answer's work, and wakes its reader.
"""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

GATHERED_BYTES_MAX = 64 * 1024
"""More is written at once: a stream may go on for long without giving way."""


class Gathering(HttpToolsProtocol):
    """uvicorn's protocol over a transport that gathers."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin; the loop calls this."""
        super().connection_made(cast(asyncio.Transport, _Gathered(transport, self.loop)))


class _Gathered:
    """A transport that writes once what is said in one turn of the loop."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._said: list[bytes] = []
        self._bytes = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Write it before the loop's next turn."""
        if not self._said:
            self._loop.call_soon(self._flush)
        self._said.append(data)
        self._bytes += len(data)
        if self._bytes > GATHERED_BYTES_MAX:
            self._flush()

    def close(self) -> None:
        """Close when everything is written."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._said and not self._transport.is_closing():  # or who asked has gone meanwhile
            self._transport.write(b"".join(self._said))
        self._said.clear()
        self._bytes = 0
