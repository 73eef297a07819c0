"""A dead letter as a value, and what to do about it, without I/O (architecture, section 5)."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict

from eventing.event import Event
from eventing.http import encode_structured
from eventing.task_events import restored
from eventing.types import TaskSubmitted
from eventing.types_tool import ToolCompleted, ToolRequested
from shared.ids import derived
from shared.tasks.store import Snapshot

REDRIVES_MAX = 3
LEDGER_REDRIVES_MAX = 10
BACK_OFF_S = 30.0
"""Before the first redrive; doubles with each."""

TRANSIENT = frozenset({None, 409, 429, 503})
"""Codes after which the same delivery may succeed; `None`: no answer at all."""

DELIVERY = ("knativeerrordest", "knativeerrorcode", "knativeerrordata", "knativekafkapartition",
            "knativekafkaoffset", "knativearrivaltime", "knativebrokerttl")
"""What brokers of both classes put on an event."""

UNKNOWN = "unknown"


class Letter(BaseModel):
    """One dead letter as it is stored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    tenant: str
    type: str
    source: str
    event_id: str
    task: str | None = None
    destination: str
    """The function that did not take it."""
    code: int | None = None
    cause: str = ""
    """The beginning of what that function answered."""
    redrives: int = 0
    status: str = "stored"
    """stored, waiting (for its redrive), redriven, resolved, alarm"""
    received_at: float
    redrive_at: float | None = None
    event: str
    """The event as structured JSON, without the attributes of its failed delivery."""

    def original(self) -> Event:
        """Return the event as it was first published."""
        return restored(self.event)


def letter_of(event: Event, tenant: str, now: float, *, unrouted: bool = False) -> Letter:
    """Return the letter of a dead-lettered event; the same delivery gives the same key."""
    destination = "nobody" if unrouted else _destination(event)
    redrives, code = event.number("redrives"), event.get("knativeerrorcode")
    cleared: dict[str, Any] = dict.fromkeys(DELIVERY)
    original = event.extended(**cleared)
    cause = "no Trigger takes events of this type" if unrouted else _cause(event)
    return Letter(
        key=derived(event.source, event.id, destination, redrives), tenant=tenant,
        type=event.type, source=event.source, event_id=event.id, task=event.get("taskid"),
        destination=destination, code=int(code) if code else None, cause=cause,
        redrives=redrives, received_at=now, event=encode_structured(original)[1].decode())


def _destination(event: Event) -> str:
    """Return the function that did not take an event.

    An in-memory Broker does not name it after a time-out: then it is the one that Triggers choose.
    """
    if address := event.get("knativeerrordest"):
        return function_of(address)
    if event.type == ToolRequested.TYPE:
        return event.get("tool") or UNKNOWN
    if event.type.startswith("dev.tollgate.ledger."):
        return "costs"
    return event.get("replyto") or event.get("agent") or UNKNOWN


def function_of(address: str) -> str:
    """Return the function that an address belongs to: the first label of its host, or its path."""
    parts = urlsplit(address)
    return (parts.hostname or parts.path.strip("/") or UNKNOWN).split(".")[0]


def _cause(event: Event) -> str:
    text = event.get("knativeerrordata") or ""
    try:
        return base64.b64decode(text, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return text


@dataclass(frozen=True, slots=True)
class Keep:
    """It is stored, nothing else: nobody waits for it."""


@dataclass(frozen=True, slots=True)
class Redrive:
    """It is published again at `at`."""

    at: float


@dataclass(frozen=True, slots=True)
class AnswerCall:
    """The tool's call is answered by an error, unless it has an outcome."""


@dataclass(frozen=True, slots=True)
class FailTask:
    """The task's own agent cannot take its event: the task fails, unless it went on."""

    error: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """Money's records do not arrive: somebody must look."""


Deed = Keep | Redrive | AnswerCall | FailTask | Alarm


def judge(letter: Letter, now: float, deadline_at: float | None) -> Deed:
    """Return what to do about a letter; `deadline_at` is its task's, if it has a live one."""
    at = now + BACK_OFF_S * 2**letter.redrives
    if letter.type.startswith("dev.tollgate.ledger."):
        return Redrive(at) if letter.redrives < LEDGER_REDRIVES_MAX else Alarm()
    if deadline_at is None:
        return Keep()
    event = letter.original()
    if letter.code in TRANSIENT and letter.redrives < REDRIVES_MAX and at < deadline_at:
        return Redrive(at)
    if letter.type == ToolRequested.TYPE and letter.destination == event.get("tool"):
        return AnswerCall()
    waiting = event.get("replyto") or event.get("agent")
    if letter.destination in {waiting, event.get("agent")}:
        said = f"{letter.code}: {letter.cause[:200]}" if letter.code else "no answer"
        return FailTask(f"agent {letter.destination} could not take {letter.type}: {said}")
    return Keep()


def is_waited_for(event: Event, snapshot: Snapshot) -> bool:
    """Tell whether the step that the event leads to is still to be taken."""
    if event.type == TaskSubmitted.TYPE:
        return snapshot.state.step == 0
    if event.type == ToolCompleted.TYPE:
        return event.json().get("call_id") in {call.call_id for call in snapshot.state.calls}
    return True
