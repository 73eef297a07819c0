"""Publishes events to the broker's ingress, at least once."""

import time
from pathlib import Path
from urllib.parse import urlsplit

from eventing.event import Event, checked
from eventing.http import encode_binary
from shared.clock import Clock
from shared.errors import Permanent, TollgateError, TooLarge, Transient
from shared.limits import (
    ATTRIBUTE_CHARS_MAX,
    EVENT_BYTES_MAX,
    PUBLISH_ATTEMPTS_MAX,
    PUBLISH_TIMEOUT_S,
    PUBLISH_WAIT_MAX_S,
    TOKEN_KEPT_S,
)
from shared.retries import retried
from shared.wires import CONNECTIONS_MAX, Answer, Wires

_RETRIED = frozenset({404, 408, 409, 429})
"""Answers after which the same POST may succeed; 5xx as well."""

TOKEN = Path("/var/run/secrets/tollgate.dev/broker/token")
"""Says who posts, where the broker asks (knative/components/event-policies); made by Kubernetes."""


class _Token:
    """Says who posts, if there is a file that does."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path, self._clock = path, clock
        self._header, self._read_at = b"", -TOKEN_KEPT_S

    @property
    def header(self) -> bytes:
        """Return the line of the header, or nothing.

        The file is read again after `TOKEN_KEPT_S`: Kubernetes replaces it while a fifth of the
        token's life is left, of an hour as a rule.
        """
        if self._clock() - self._read_at >= TOKEN_KEPT_S:
            self._read_at = self._clock()
            self._header = self._read()
        return self._header

    def _read(self) -> bytes:
        try:
            return b"authorization: Bearer %b\r\n" % self._path.read_bytes().strip()
        except FileNotFoundError:
            return b""


class Publisher:
    """Posts events to one broker; safe to call again with the same event.

    It speaks HTTP by itself (ADR 0009): a client's layers would be a sixth of the ledger's work.
    """

    def __init__(self, broker_url: str, *, token: Path = TOKEN,
                 clock: Clock = time.monotonic) -> None:
        at = urlsplit(broker_url)
        if at.scheme != "http" or not at.hostname:
            raise TollgateError(f"the broker's address {broker_url!r} is none such as "
                                "http://broker-ingress.example/namespace/name")
        self._name, self._origin = broker_url, (at.hostname, at.port or 80)
        target = (at.path or "/") + (f"?{at.query}" if at.query else "")
        self._begin = f"POST {target} HTTP/1.1\r\nhost: {at.netloc}\r\n".encode()
        self._wires = Wires(CONNECTIONS_MAX)
        self._token = _Token(token, clock)

    async def publish(self, event: Event) -> None:
        """Return once the broker has the event durably.

        Raises:
            Malformed: an attribute cannot be delivered.
            TooLarge: the body is above `EVENT_BYTES_MAX`: use a claim check.
            Permanent: the broker refuses the event.
            Transient: the broker did not accept it within the attempts.
        """
        message = self._message(_fitting(checked(event)))
        await retried(lambda: self._post(event, message), Transient,
                      attempts=PUBLISH_ATTEMPTS_MAX, wait_max_s=PUBLISH_WAIT_MAX_S)

    def _message(self, event: Event) -> bytes:
        headers, body = encode_binary(event)
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
        return b"%b%b%bcontent-length: %d\r\n\r\n%b" % (
            self._begin, self._token.header, lines.encode(), len(body), body)

    async def _post(self, event: Event, message: bytes) -> None:
        answer = await self._answer(message)
        if answer.status in _RETRIED or answer.status >= 500:
            raise Transient(f"broker answered {answer.status} to {event.type} {event.id}")
        if not 200 <= answer.status < 300:
            raise Permanent(f"broker refused {event.type} {event.id} with {answer.status}: "
                            f"{answer.body[:200].decode(errors='replace')}")

    async def _answer(self, message: bytes) -> Answer:
        try:
            return await self._wires.exchange(self._origin, message, connect_s=PUBLISH_TIMEOUT_S,
                                              answer_s=PUBLISH_TIMEOUT_S)
        except Transient as error:
            raise Transient(f"broker {self._name}: {error.detail}") from error


def _fitting(event: Event) -> Event:
    if len(event.data or b"") >= EVENT_BYTES_MAX:
        raise TooLarge(f"event {event.id}: data has {len(event.data or b'')} bytes, "
                       f"the broker takes less than {EVENT_BYTES_MAX}")
    long = [n for n, v in event.extensions.items() if len(v) > ATTRIBUTE_CHARS_MAX]
    if long:
        raise TooLarge(f"event {event.id}: extension {long[0]} is longer than "
                       f"{ATTRIBUTE_CHARS_MAX} characters")
    return event
