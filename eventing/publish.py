"""Publishes events to the broker's ingress, at least once."""

from pathlib import Path

import httpx2

from eventing.event import Event, checked
from eventing.http import encode_binary
from shared.errors import Permanent, TooLarge, Transient
from shared.limits import (
    ATTRIBUTE_CHARS_MAX,
    EVENT_BYTES_MAX,
    PUBLISH_ATTEMPTS_MAX,
    PUBLISH_WAIT_MAX_S,
)
from shared.retries import retried

_RETRIED = frozenset({404, 408, 409, 429})
"""Answers after which the same POST may succeed; 5xx as well."""


TOKEN = Path("/var/run/secrets/tollgate.dev/broker/token")
"""Says who posts, where the broker asks (knative/components/event-policies); made by Kubernetes."""


class Publisher:
    """Posts events to one broker; safe to call again with the same event."""

    def __init__(self, broker_url: str, client: httpx2.AsyncClient, *, token: Path = TOKEN) -> None:
        self._url = httpx2.URL(broker_url)
        self._client = client
        self._extensions = {"timeout": client.timeout.as_dict()}
        self._token = token

    async def publish(self, event: Event) -> None:
        """Return once the broker has the event durably.

        Raises:
            Malformed: an attribute cannot be delivered.
            TooLarge: the body is above `EVENT_BYTES_MAX`: use a claim check.
            Permanent: the broker refuses the event.
            Transient: the broker did not accept it within the attempts.
        """
        headers, body = encode_binary(_fitting(checked(event)))
        headers |= self._authorization()
        await retried(lambda: self._post(event, headers, body), Transient,
                      attempts=PUBLISH_ATTEMPTS_MAX, wait_max_s=PUBLISH_WAIT_MAX_S)

    def _authorization(self) -> dict[str, str]:
        """Read the token anew each time: it is replaced every hour."""
        try:
            return {"authorization": f"Bearer {self._token.read_text().strip()}"}
        except FileNotFoundError:
            return {}

    async def _post(self, event: Event, headers: dict[str, str], body: bytes) -> None:
        try:
            # By itself, not by the client, whose `post` takes as long as the broker to answer.
            answer = await self._client.send(httpx2.Request(
                "POST", self._url, headers=headers, content=body, extensions=self._extensions))
        except httpx2.HTTPError as error:
            raise Transient(f"broker {self._url}: {type(error).__name__}: {error}") from error
        if answer.status_code in _RETRIED or answer.status_code >= 500:
            raise Transient(f"broker answered {answer.status_code} to {event.type} {event.id}")
        if not answer.is_success:
            raise Permanent(f"broker refused {event.type} {event.id} with {answer.status_code}: "
                            f"{answer.text[:200]}")


def _fitting(event: Event) -> Event:
    if len(event.data or b"") >= EVENT_BYTES_MAX:
        raise TooLarge(f"event {event.id}: data has {len(event.data or b'')} bytes, "
                       f"the broker takes less than {EVENT_BYTES_MAX}")
    long = [n for n, v in event.extensions.items() if len(v) > ATTRIBUTE_CHARS_MAX]
    if long:
        raise TooLarge(f"event {event.id}: extension {long[0]} is longer than "
                       f"{ATTRIBUTE_CHARS_MAX} characters")
    return event
