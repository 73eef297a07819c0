"""Decides what an answer means and when to call again, as a Kafka-class dispatcher does."""

import base64
from dataclasses import dataclass

from eventing.event import Event, checked
from eventing.http import decode, is_event
from eventing.local.manifests.fields import DeliverySpec, seconds
from eventing.local.wire import ANSWER_BYTES_MAX, Answer, Sink
from shared.errors import Malformed

TIMEOUT_DEFAULT_S = 600.0
BACKOFF_DEFAULT_S = 1.0
ERROR_DATA_BYTES = 1024
RETRIED = frozenset({404, 408, 409, 429})
"""Besides every 5xx."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How often a delivery is tried, with which waits, and where it goes in the end."""

    retry: int = 0
    delay_s: float = BACKOFF_DEFAULT_S
    linear: bool = False
    timeout_s: float = TIMEOUT_DEFAULT_S
    sink: Sink | None = None

    def wait_s(self, attempts: int) -> float | None:
        """Return the wait after that many attempts (from 1), or `None` when it was the last.

        Linear waits are d·n, exponential ones d·2ⁿ, both from n = 1; there is no cap.
        """
        if attempts > self.retry or self.delay_s == 0:
            return None
        return self.delay_s * (attempts if self.linear else 2**attempts)


def policy_of(spec: DeliverySpec | None, sink: Sink | None) -> Policy:
    """Return the policy of a delivery spec; without one there is a single call."""
    if spec is None:
        return Policy()
    return Policy(
        retry=spec.retry or 0, linear=spec.backoff_policy == "linear", sink=sink,
        delay_s=BACKOFF_DEFAULT_S if spec.backoff_delay is None else seconds(spec.backoff_delay),
        timeout_s=TIMEOUT_DEFAULT_S if spec.timeout is None else seconds(spec.timeout),
    )


@dataclass(frozen=True, slots=True)
class Done:
    """Delivered."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Delivered, and the answer is an event."""

    event: Event


@dataclass(frozen=True, slots=True)
class Failed:
    """Not delivered."""

    again: bool
    """A later call may succeed."""

    code: int | None = None
    body: bytes = b""

    def extensions(self, address: str) -> dict[str, str]:
        """Return what a dead letter says about its failure."""
        said = {"knativeerrordest": address}
        if self.code is not None:
            said["knativeerrorcode"] = str(self.code)
            if self.body:
                said["knativeerrordata"] = base64.b64encode(self.body[:ERROR_DATA_BYTES]).decode()
        return said


def judge(answer: Answer | None) -> Done | Reply | Failed:
    """Return what an answer means; `None` is none: time-out, refused, reset."""
    if answer is None:
        return Failed(again=True)
    if 200 <= answer.status < 300:
        return _judge_success(answer)
    again = answer.status in RETRIED or answer.status >= 500
    return Failed(again, answer.status, answer.body)


def _judge_success(answer: Answer) -> Done | Reply | Failed:
    names = {name.lower() for name in answer.headers}
    if not answer.body and not any(name.startswith("ce-") for name in names):
        return Done()
    if not is_event(answer.headers) or len(answer.body) >= ANSWER_BYTES_MAX:
        return Failed(again=False)
    try:
        return Reply(checked(decode(answer.headers, answer.body)))
    except Malformed:
        return Failed(again=False)
