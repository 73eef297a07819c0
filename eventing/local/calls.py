"""Sends events to Services through their gate, to addresses outside, or back to a broker."""

import asyncio

import aiohttp

from eventing.event import checked
from eventing.http import decode
from eventing.local.addresses import cluster_host
from eventing.local.broker import Broker
from eventing.local.manifests.deployment import Key
from eventing.local.service import Service, Unserved
from eventing.local.wire import ANSWER_BYTES_MAX, Answer, Message, NoAnswer
from shared.errors import Malformed, Transient

SEE_OTHER = 303
ADDED_BY_CLIENT = ("Accept", "Accept-Encoding", "Content-Type")
"""What the client would add: nobody asked for a compressed answer."""


class Refused(NoAnswer):
    """Nobody listens there; nothing was sent."""


class Caller:
    """Posts over one shared client."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def post(self, url: str, message: Message) -> Answer:
        """Send a message and read at most `ANSWER_BYTES_MAX` of what comes back.

        Raises:
            NoAnswer: refused, reset, or no such host.
        """
        try:
            async with self._session.post(url, data=message.body, headers=message.headers,
                                          allow_redirects=False,
                                          skip_auto_headers=ADDED_BY_CLIENT) as response:
                answer = await _read(response)
            if answer.status == SEE_OTHER and "Location" in answer.headers:
                async with self._session.get(answer.headers["Location"]) as response:
                    return await _read(response)
        except aiohttp.ClientConnectorError as error:
            raise Refused(f"{url}: {error}") from error
        except (aiohttp.ClientError, OSError) as error:
            raise NoAnswer(f"{url}: {error}") from error
        return answer


async def _read(response: aiohttp.ClientResponse) -> Answer:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) >= ANSWER_BYTES_MAX:
            response.close()
            break
    return Answer(response.status, response.headers, bytes(body[:ANSWER_BYTES_MAX]))


class UriSink:
    """A subscriber outside the runtime."""

    def __init__(self, url: str, address: str, caller: Caller) -> None:
        self._url, self.address, self._caller = url, address, caller

    async def post(self, message: Message, timeout_s: float) -> Answer:
        """Send the message; see `Sink`."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self._caller.post(self._url, message)
        except TimeoutError:
            raise NoAnswer(f"{self._url}: no answer within {timeout_s:g} s") from None


class ServiceSink:
    """A Service: the call passes its gate, not its port."""

    def __init__(self, key: Key, service: Service, timeout_s: float, caller: Caller,
                 *, path: str = "/") -> None:
        self._service, self._timeout_s, self._caller = service, timeout_s, caller
        self._path = path
        self.address = f"http://{cluster_host(*key)}{path.rstrip('/')}"

    async def post(self, message: Message, timeout_s: float) -> Answer:
        """Send the message when a process is free; 503 and 504 as the queue proxy answers."""
        try:
            async with asyncio.timeout(timeout_s), self._service.slot() as instance:
                try:
                    return await self._within_time(instance.url, message)
                except Refused:
                    self._service.unreachable(instance)
                    raise
        except Unserved as error:
            return Answer(503, body=str(error).encode())
        except TimeoutError:
            raise NoAnswer(f"{self.address}: no answer within {timeout_s:g} s") from None

    async def _within_time(self, url: str, message: Message) -> Answer:
        timeout = asyncio.timeout(self._timeout_s)
        try:
            async with timeout:
                return await self._caller.post(url + self._path, message)
        except TimeoutError:
            if not timeout.expired():
                raise
            return Answer(504, body=b"request timeout")


class BrokerSink:
    """A broker as a sink: its ingress without the socket."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self.address = "http://kafka-broker-ingress.knative-eventing.svc.cluster.local/" + (
            "/".join(broker.key))

    async def post(self, message: Message, timeout_s: float) -> Answer:
        """Accept the message as an event; see `Sink`."""
        try:
            event = checked(decode(message.headers, message.body or b""))
            await self._broker.accept(event, message.headers.get("traceparent"))
        except Malformed as error:
            return Answer(400, body=str(error).encode())
        except Transient as error:
            return Answer(503, body=str(error).encode())
        return Answer(202)
