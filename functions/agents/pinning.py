"""Keeps a task on the revision that began it, as long as that revision can be reached.

Traffic is split by request, so any revision may get a task's event; it hands the event on to the
task's own. Where nobody answers under that revision's tag, because a rollout was aborted or a
later one followed, the task is taken over: nothing is stranded (ADR 0024).
"""

import logging
from http import HTTPStatus
from urllib.parse import urlsplit

import httpx2

from eventing.event import Event
from eventing.http import encode_binary
from shared.errors import Busy, Overloaded, Permanent, Transient
from shared.rollouts.traffic import tag_of
from shared.tasks.state import TaskState

log = logging.getLogger(__name__)

FORWARDED = "forwarded"
"""Extension of an event that was handed on: who gets it keeps it, so there is no loop."""

CLUSTER = ".svc.cluster.local"


class Siblings:
    """The other revisions of this agent."""

    def __init__(self, service: str, revision: str | None, ledger_url: str,
                 client: httpx2.AsyncClient) -> None:
        """Take the namespace from a neighbour's address; outside a cluster there are no others."""
        self.revision = revision
        self._service = service
        host = urlsplit(ledger_url).hostname or ""
        self._domain = host.partition(".")[2] if host.endswith(CLUSTER) else ""
        self._client = client

    async def took(self, event: Event, state: TaskState) -> bool:
        """Hand the event of another revision's task on; return whether that revision took it.

        `False` means that the task is this revision's own from now on, or over.

        Raises:
            Transient: that revision is there and cannot take it now; the broker tries again.
            Permanent: that revision refuses the event for good.
        """
        owner = state.revision
        if owner is None or owner == self.revision or not self.revision or not self._domain:
            return False
        if state.status.final or event.get(FORWARDED) is not None:
            return False
        return await self._handed_on(event, owner)

    async def _handed_on(self, event: Event, owner: str) -> bool:
        url = f"http://{tag_of(self._service, owner)}-{self._service}.{self._domain}/"
        headers, body = encode_binary(event.extended(forwarded=self.revision))
        try:
            answer = await self._client.post(url, headers=headers, content=body)
        except httpx2.ConnectError as error:
            log.info("revision %s is gone, %s takes over: %s", owner, self.revision, error)
            return False
        except httpx2.HTTPError as error:
            raise Transient(f"revision {owner}: {type(error).__name__}: {error}") from error
        if answer.status_code == HTTPStatus.NOT_FOUND:
            log.info("revision %s has no route, %s takes over", owner, self.revision)
            return False
        return _accepted(answer, owner)


def _accepted(answer: httpx2.Response, owner: str) -> bool:
    """Return `True` if the event was taken, else say what the broker shall do."""
    status = answer.status_code
    if answer.is_success:
        return True
    why = f"revision {owner} answered {status}: {answer.text[:200]}"
    if status == HTTPStatus.CONFLICT:
        raise Busy(why)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise Overloaded(why)
    raise Transient(why) if status >= HTTPStatus.INTERNAL_SERVER_ERROR else Permanent(why)
