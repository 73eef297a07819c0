"""Carries httpx2's requests to cluster-local `http://` addresses over plain asyncio (ADR 0009).

The library's own transport costs a cold start some 30 ms of imports and each call twice the time;
functions call each other many times a step.
"""

from collections.abc import Mapping

import httpx2

from shared.errors import Transient
from shared.wires import Broken, Silent, Unaccepted, Unreachable, Wires

_TOLD: dict[type[Transient], type[httpx2.TransportError]] = {
    Unreachable: httpx2.ConnectError, Unaccepted: httpx2.ConnectTimeout,
    Silent: httpx2.ReadTimeout, Broken: httpx2.RemoteProtocolError,
}


class PlainTransport(httpx2.AsyncBaseTransport):
    """Whole requests, whole answers, over a pool of kept connections."""

    def __init__(self, connections_max: int) -> None:
        self._wires = Wires(connections_max)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Return the whole answer.

        Raises:
            UnsupportedProtocol: the address is not `http://`: this transport has no TLS.
            ConnectError, ConnectTimeout, ReadTimeout, RemoteProtocolError: as httpx2.
        """
        if request.url.scheme != "http":
            raise httpx2.UnsupportedProtocol(f"{request.url}: only http:// inside the cluster")
        timeouts: Mapping[str, float | None] = request.extensions.get("timeout", {})
        try:
            answer = await self._wires.exchange(
                (request.url.host, request.url.port or 80),
                _message(request, await request.aread()),
                connect_s=timeouts.get("connect"), answer_s=timeouts.get("read"))
        except tuple(_TOLD) as error:
            raise _TOLD[type(error)](error.detail) from error
        return httpx2.Response(answer.status, headers=answer.headers, content=answer.body)

    async def aclose(self) -> None:
        """Close the idle connections."""
        self._wires.close()


def _message(request: httpx2.Request, body: bytes) -> bytes:
    lines = [request.method.encode() + b" " + request.url.raw_path + b" HTTP/1.1",
             *(name + b": " + value for name, value in request.headers.raw), b"", body]
    return b"\r\n".join(lines)
