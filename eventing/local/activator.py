"""Passes HTTP requests on a Service's own address through its gate, streams included."""

import asyncio
from collections.abc import Mapping

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from eventing.local.service import Service, Unserved

HOP_BY_HOP = frozenset({"connection", "expect", "keep-alive", "proxy-authenticate",
                        "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade"})
"""RFC 9110, 7.6.1; `expect` is answered here."""

ADDED_BY_CLIENT = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
"""What the client would add to a request that does not have it."""

REFUSED_MAX = 2
"""Processes that may have ended just before a request, which then goes to another one."""


class Activator:
    """The HTTP side of one Service."""

    def __init__(self, service: Service, timeout_s: float, session: aiohttp.ClientSession) -> None:
        self._service, self._timeout_s, self._session = service, timeout_s, session

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer with what the function answers; 502, 503 or 504 when it does not."""
        begun: list[web.StreamResponse] = []
        try:
            return await self._through_gate(request, begun)
        except Unserved as error:
            return web.Response(status=503, text=str(error))
        except TimeoutError:
            return _broken(request, begun, 504, "request timeout")
        except aiohttp.ClientError as error:
            return _broken(request, begun, 502, f"{self._service.name}: {error}")

    async def _through_gate(self, request: web.BaseRequest,
                            begun: list[web.StreamResponse]) -> web.StreamResponse:
        for _ in range(REFUSED_MAX):
            async with self._service.slot() as instance, asyncio.timeout(self._timeout_s):
                try:
                    return await self._pass_on(request, instance.url, begun)
                except aiohttp.ClientConnectorError:
                    self._service.unreachable(instance)
        raise Unserved(f"{self._service.name}: no process takes the request")

    async def _pass_on(self, request: web.BaseRequest, url: str,
                       begun: list[web.StreamResponse]) -> web.StreamResponse:
        await _go_on(request)
        body = request.content if request.body_exists else None
        async with self._session.request(
            request.method, url + request.raw_path, data=body, allow_redirects=False,
            headers=_end_to_end(request.headers), skip_auto_headers=ADDED_BY_CLIENT,
        ) as answer:
            response = web.StreamResponse(status=answer.status, reason=answer.reason,
                                          headers=_end_to_end(answer.headers))
            begun.append(response)
            await response.prepare(request)
            if request.method != "HEAD":
                async for chunk in answer.content.iter_any():
                    await response.write(chunk)
            await response.write_eof()
            return response


async def _go_on(request: web.BaseRequest) -> None:
    """Let a client send its body that waits to be asked for it (RFC 9110, 10.1.1)."""
    if request.headers.get("expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0


def _broken(request: web.BaseRequest, begun: list[web.StreamResponse], status: int,
            reason: str) -> web.StreamResponse:
    if not begun:
        return web.Response(status=status, text=reason)
    if request.transport is not None:
        request.transport.close()  # half an answer must not look like a whole one
    return begun[0]


def _end_to_end(headers: Mapping[str, str]) -> CIMultiDict[str]:
    pairs = headers.items()
    return CIMultiDict((name, value) for name, value in pairs if name.lower() not in HOP_BY_HOP)
