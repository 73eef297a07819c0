"""Follows a task's stream as server-sent events (HTML Living Standard, section 9.2)."""

import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from eventing import stopping
from eventing.hints import Hints
from shared import limits
from shared.errors import Malformed
from shared.tasks.reading import Reader, StreamEntry
from shared.tasks.store import Tasks

RETRY_MS = 1000
"""What a client waits before it connects again, when the stream closes before the task ends."""


@dataclass(frozen=True, slots=True)
class Follower:
    """Follows one task's stream for one listener."""

    reader: Reader
    tasks: Tasks
    hints: Hints
    tenant: str
    task_id: str

    async def lines(self, after: str) -> AsyncIterator[str]:
        """Yield the events after an id, until the task, the time or the process ends.

        Entries of the stream carry ids that only grow; streamed text has none and is not repeated.
        """
        position, closes = after, time.monotonic() + limits.STREAM_MAX_S
        beat = time.monotonic() + limits.STREAM_HEARTBEAT_S
        yield f"retry: {RETRY_MS}\n\n"
        async with self.hints.waiter(self.tenant, self.task_id) as waiter:
            while time.monotonic() < closes:
                entries = await self.reader.entries(self.tenant, self.task_id, after=position)
                for line in (*_tokens(waiter.texts), *[await self._line(e) for e in entries]):
                    yield line
                if stopping.is_stopping() or any(entry.event == "end" for entry in entries):
                    return
                position = entries[-1].id if entries else position
                if time.monotonic() >= beat:
                    beat = time.monotonic() + limits.STREAM_HEARTBEAT_S
                    yield ": heartbeat\n\n"
                await waiter.wait(limits.STREAM_POLL_S)

    async def _line(self, entry: StreamEntry) -> str:
        data = entry.data
        if entry.event == "end":
            snapshot = await self.tasks.look(self.tenant, self.task_id)
            data = snapshot.state.result().model_dump(mode="json") if snapshot else data
        return _event(entry.event, data, entry.id)


def _tokens(texts: list[str]) -> list[str]:
    taken, texts[:] = list(texts), []
    return [_event("token", {"text": text}) for text in taken]


def checked_position(after: str) -> str:
    """Return the id if it can be one of a stream's.

    Raises:
        Malformed: it cannot.
    """
    milliseconds, _, number = after.partition("-")
    if not milliseconds.isdecimal() or (number and not number.isdecimal()):
        raise Malformed(f"Last-Event-ID {after!r} is no id of this stream")
    return after


def _event(name: str, data: dict[str, Any], ident: str | None = None) -> str:
    head = f"id: {ident}\n" if ident else ""
    return f"{head}event: {name}\ndata: {json.dumps(data)}\n\n"
