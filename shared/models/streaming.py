"""Streams server-sent events from a provider: the one place where its failures get our names."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import httpx2

from shared.limits import MODEL_CONNECT_TIMEOUT_S, MODEL_READY_TIMEOUT_S, MODEL_STREAM_BYTES_MAX
from shared.models.errors import (
    ProviderBusy,
    ProviderRefused,
    ProviderUnavailable,
    ProviderUnknown,
)
from shared.models.port import ToolCall

_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout,
             httpx2.UnsupportedProtocol,
             httpx2.InvalidURL)
_OVERLOADED = 529
"""Anthropic's own status: refused for load, before any token was used."""

_SHOWN_CHARS = 300
DONE = "[DONE]"


@asynccontextmanager
async def within(timeout_s: float) -> AsyncIterator[None]:
    """Bound the whole call.

    Raises:
        ProviderUnknown: the time is over; what the provider did is not known.
    """
    try:
        async with asyncio.timeout(timeout_s):
            yield
    except TimeoutError as error:
        raise ProviderUnknown(f"no whole answer within {timeout_s:g} s") from error


async def events(client: httpx2.AsyncClient, url: str, headers: Mapping[str, str],
                 body: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
    """Yield the JSON object of each event; the end of the stream is the end of the iteration.

    Raises:
        ProviderRefused, ProviderBusy, ProviderUnavailable, ProviderUnknown: as their texts say.
    """
    timeout = httpx2.Timeout(None, connect=MODEL_CONNECT_TIMEOUT_S, pool=MODEL_CONNECT_TIMEOUT_S)
    try:
        async with client.stream("POST", url, headers=dict(headers), json=body,
                                 timeout=timeout) as answer:
            await _check(answer)
            is_whole = answer.headers.get("content-type", "").startswith("application/json")
            async for event in _whole(answer) if is_whole else _parsed(answer):
                yield event
    except _NOT_SENT as error:
        raise ProviderUnavailable(f"{url}: {type(error).__name__}: {error}") from error
    except httpx2.HTTPError as error:
        raise ProviderUnknown(f"{url}: {type(error).__name__}: {error}") from error


async def reachable(client: httpx2.AsyncClient, url: str, headers: Mapping[str, str]) -> None:
    """Return if the provider answers a request that uses no tokens.

    Raises:
        ProviderUnavailable: it does not, or refuses the key.
    """
    try:
        answer = await client.get(url, headers=dict(headers), timeout=MODEL_READY_TIMEOUT_S)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise ProviderUnavailable(f"{url}: {type(error).__name__}: {error}") from error
    refused = answer.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
    if refused or answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise ProviderUnavailable(f"{url} answered {answer.status_code}")


def shape(event: Mapping[str, Any]) -> str:
    """Return what an event looks like, for errors: its fields, never what a model said."""
    return ", ".join(sorted(map(str, event)))[:_SHOWN_CHARS]


def tool_call(id: str, name: str, raw: str) -> ToolCall:  # noqa: A002
    """Return a call whose arguments are parsed, or `None` if they are no JSON object."""
    try:
        arguments = json.loads(raw or "{}")
    except ValueError:
        arguments = None
    return ToolCall(id, name, arguments if isinstance(arguments, dict) else None, raw)


async def _check(answer: httpx2.Response) -> None:
    if answer.is_success:
        return
    await answer.aread()
    status, told = answer.status_code, answer.text[:_SHOWN_CHARS]
    if status in (HTTPStatus.TOO_MANY_REQUESTS, _OVERLOADED):
        raise ProviderBusy(f"{answer.url.host} answered {status}: {told}")
    if answer.is_client_error and status != HTTPStatus.REQUEST_TIMEOUT:
        raise ProviderRefused(f"{answer.url.host} answered {status}: {told}")
    raise ProviderUnknown(f"{answer.url.host} answered {status}: {told}")


async def _whole(answer: httpx2.Response) -> AsyncIterator[dict[str, Any]]:
    """Yield the one object of a server that does not stream."""
    body = b""
    async for piece in answer.aiter_bytes():
        body += piece
        if len(body) > MODEL_STREAM_BYTES_MAX:
            raise ProviderUnknown(f"an answer of more than {MODEL_STREAM_BYTES_MAX} bytes")
    yield _object(body.decode(errors="replace"))


async def _parsed(answer: httpx2.Response) -> AsyncIterator[dict[str, Any]]:
    size = 0
    async for line in answer.aiter_lines():
        size += len(line)
        if size > MODEL_STREAM_BYTES_MAX:
            raise ProviderUnknown(f"a stream of more than {MODEL_STREAM_BYTES_MAX} bytes")
        name, _, data = line.partition(":")
        if name == "data" and data.strip() != DONE:
            yield _object(data)


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ProviderUnknown(f"garbage in the stream: {len(text)} characters, no JSON") from error
    if not isinstance(found, dict):
        raise ProviderUnknown(f"garbage in the stream: a {type(found).__name__}, no JSON object")
    if fault := found.get("error"):
        raise ProviderUnknown(f"an error in the stream: {str(fault)[:_SHOWN_CHARS]}")
    return found
