"""The brokers' HTTP ingress: `POST /<namespace>/<broker>`, answered as Knative's receiver does."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace

from aiohttp import web
from aiohttp.web_exceptions import HTTPRequestEntityTooLarge

from eventing.event import Event, checked
from eventing.http import decode
from eventing.local.broker import Broker
from eventing.local.manifests.deployment import Key
from shared.errors import Malformed, Transient
from shared.limits import EVENT_BYTES_MAX

HEADER_BYTES_MAX = 8 * 1024


class Ingress:
    """Finds the broker and stores the event before it answers."""

    def __init__(self, brokers: Mapping[Key, Broker]) -> None:
        self._brokers = brokers

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer 202 once the event is durable, else say why not."""
        if request.method != "POST":
            return web.Response(status=405)
        broker = self._brokers.get(_key(request.path))
        if broker is None:
            return web.Response(status=404, text=f"no broker at {request.path}")
        if any(len(value) > HEADER_BYTES_MAX for value in request.headers.values()):
            return web.Response(status=431, text="a header is longer than 8 KiB")
        return await _accept(broker, request)


async def _accept(broker: Broker, request: web.BaseRequest) -> web.Response:
    try:
        body = await _body(request)
        event = read(request.headers, body)
        # A sender that goes away now must not leave an event that is stored and never delivered.
        await asyncio.shield(broker.accept(event, request.headers.get("traceparent")))
    except Malformed as error:
        return web.Response(status=400, text=error.detail)
    except HTTPRequestEntityTooLarge:
        text = f"events of {EVENT_BYTES_MAX} bytes or more are not stored: do not send it again"
        return web.Response(status=503, text=text)
    except Transient as error:
        return web.Response(status=503, text=error.detail)
    return web.Response(status=202)


def read(headers: Mapping[str, str], body: bytes) -> Event:
    """Return the event of a request, checked as a Kafka-class receiver checks it.

    Raises:
        Malformed: it is none, or lacks a required attribute. An empty id is accepted.
    """
    event = decode(headers, body)
    if event.id or not _says_empty_id(headers, body):
        return checked(event)
    checked(replace(event, id="empty"))
    return event


def _says_empty_id(headers: Mapping[str, str], body: bytes) -> bool:
    if "ce-specversion" in headers:
        return "ce-id" in headers
    return bool(json.loads(body).get("id") == "")


async def _body(request: web.BaseRequest) -> bytes:
    if (request.content_length or 0) >= EVENT_BYTES_MAX:
        raise HTTPRequestEntityTooLarge(EVENT_BYTES_MAX, request.content_length or 0)
    return await request.read()


def _key(path: str) -> Key:
    namespace, _, name = path.strip("/").partition("/")
    return namespace, name
