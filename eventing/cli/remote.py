"""Speaks HTTP to the functions; the one place of the command line that does."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import httpx2

from eventing.cli.exits import Exit, Failure, of_problem
from eventing.cli.place import Place

TIMEOUT_S = 60.0
"""A cold function and a queue in front of it; the answers themselves take milliseconds."""

RECOUNT_TIMEOUT = httpx2.Timeout(TIMEOUT_S, read=330.0)
"""Of what reads every event of a month again, or of a day before the first of it comes: above the
Service's own `timeoutSeconds`, which ends it with an answer."""

STREAM_ATTEMPTS_MAX = 100
"""A stream is closed before the platform's request time-out; each new one goes on behind."""


@dataclass(frozen=True, slots=True)
class Message:
    """One server-sent event."""

    name: str
    data: dict[str, Any]
    id: str = ""


class Remote:
    """The functions of one place, with its key."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._http = httpx2.Client(timeout=TIMEOUT_S, trust_env=False)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._http.close()

    def ask(self, method: str, function: str, path: str, **given: Any) -> Any:
        """Return the JSON of an answer, `None` if it has no body.

        Raises:
            Failure: it cannot be reached, or answers an error; with what to do.
        """
        url = self._place.address(function) + path
        headers = {**self._headers(function), **given.pop("headers", {})}
        try:
            response = self._http.request(method, url, headers=headers, **given)
        except httpx2.HTTPError as error:
            raise _unreachable(url, error) from error
        if response.status_code >= 400:
            raise of_problem(response.status_code, _json(response.content), f"{method} {url}")
        return json.loads(response.content) if response.content else None

    def download(self, function: str, path: str, params: dict[str, str]) -> Iterator[bytes]:
        """Yield the pieces of an answer as they come; one that is cut short is a failure.

        Raises:
            Failure: it cannot be reached, answers an error, or ends before its end.
        """
        url = self._place.address(function) + path
        try:
            with self._http.stream("GET", url, headers=self._headers(function), params=params,
                                   timeout=RECOUNT_TIMEOUT) as response:
                if response.status_code >= 400:
                    raise of_problem(response.status_code, _json(response.read()), f"GET {url}")
                yield from response.iter_bytes()
        except httpx2.HTTPError as error:
            raise _unreachable(url, error) from error

    def follow(self, task: str) -> Iterator[Message]:
        """Yield a task's messages until its `end`, over as many connections as that takes."""
        last = ""
        for _ in range(STREAM_ATTEMPTS_MAX):
            for message in self._stream(task, last):
                last = message.id or last
                yield message
                if message.name == "end":
                    return
        raise Failure(Exit.UNREACHABLE, f"the stream of task {task} closes again and again",
                      do=f"ask for the task itself: tollgate task get {task}")

    def _stream(self, task: str, last: str) -> Iterator[Message]:
        url = f"{self._place.address('gateway')}/tasks/{task}/events"
        headers = self._headers("gateway") | ({"Last-Event-ID": last} if last else {})
        try:
            with self._http.stream("GET", url, headers=headers) as response:
                if response.status_code >= 400:
                    raise of_problem(response.status_code, _json(response.read()), f"GET {url}")
                yield from messages(response.iter_lines())
        except httpx2.RemoteProtocolError:
            return  # cut in the middle: the next connection goes on behind the last id
        except httpx2.HTTPError as error:
            raise _unreachable(url, error) from error

    def _headers(self, function: str) -> dict[str, str]:
        key, host = self._place.key(), self._place.host(function)
        credential = {"Authorization": f"Bearer {key}"} if key else {}
        return credential | ({"Host": host} if host else {})


def messages(lines: Iterator[str]) -> Iterator[Message]:
    """Yield the messages of an event stream (HTML Living Standard, section 9.2.6)."""
    fields: dict[str, str] = {}
    for line in lines:
        if not line and "data" in fields:
            yield Message(fields.get("event", "message"), json.loads(fields["data"]),
                          fields.get("id", ""))
        name, _, value = line.partition(":")
        fields = {**fields, name: value.removeprefix(" ")} if line else {}


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {"detail": body.decode(errors="replace")[:500]}
    return found if isinstance(found, dict) else {}


def _unreachable(url: str, error: httpx2.HTTPError) -> Failure:
    return Failure(Exit.UNREACHABLE, f"no answer: {error or type(error).__name__}", where=url,
                   do="see what is wrong: tollgate status, tollgate doctor")
