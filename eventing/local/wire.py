"""Messages between the runtime and what it calls, and where they can be sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from eventing.event import CONTEXT, Event

ANSWER_BYTES_MAX = 1024 * 1024
"""A reply of this size or more is no event for a Kafka-class broker; no more is read."""


class NoAnswer(Exception):
    """The call timed out, was refused, or the connection ended before an answer."""


@dataclass(frozen=True, slots=True)
class Message:
    """One POST of an event in binary mode."""

    headers: Mapping[str, str]
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; the body is cut at `ANSWER_BYTES_MAX`."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Sink(Protocol):
    """Something that takes events."""

    @property
    def address(self) -> str:
        """Its address as a cluster would name it."""

    async def post(self, message: Message, timeout_s: float) -> Answer:
        """Send the message.

        Raises:
            NoAnswer: there was none within `timeout_s`.
        """


def message_of(event: Event, namespace: str, offset: int | None,
               traceparent: str | None) -> Message:
    """Return a delivery as a Kafka-class dispatcher sends it: binary, asking for a reply.

    Without an offset it comes from a source, straight to its sink.
    """
    headers = {"Prefer": "reply", "Kn-Namespace": namespace}
    if traceparent:
        headers["traceparent"] = traceparent
    for name in CONTEXT:
        if name != "datacontenttype" and (value := event.get(name)) is not None:
            headers[f"ce-{name}"] = value
    if event.datacontenttype is not None:
        headers["content-type"] = event.datacontenttype
    headers |= {f"ce-{name}": value for name, value in event.extensions.items()}
    if offset is not None:
        headers |= {"ce-knativekafkapartition": "0", "ce-knativekafkaoffset": str(offset)}
    return Message(headers, event.data)
