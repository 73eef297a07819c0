"""Follows a task's stream as server-sent events (HTML Living Standard, section 9.2)."""

import json
import time
from collections.abc import AsyncIterator
from typing import Any

from eventing.hints import Hints
from shared import limits
from shared.errors import Malformed
from shared.tasks.reading import Reader
from shared.tasks.store import Tasks

RETRY_MS = 1000
"""What a client waits before it connects again, when the stream closes before the task ends."""


async def follow(reader: Reader, tasks: Tasks, hints: Hints, task: tuple[str, str],
                 after: str) -> AsyncIterator[str]:
    """Yield the events of (tenant, task) after an id, until the task ends or the time is over.

    Entries of the stream carry ids that only grow; streamed text has none and is not repeated.

    Raises:
        Malformed: `after` is no id of a stream.
    """
    position, closes = _position(after), time.monotonic() + limits.STREAM_MAX_S
    yield f"retry: {RETRY_MS}\n\n"
    beat = time.monotonic() + limits.STREAM_HEARTBEAT_S
    async with hints.waiter(*task) as waiter:
        while time.monotonic() < closes:
            for text in _taken(waiter.texts):
                yield _event("token", {"text": text})
            for entry in await reader.entries(*task, after=position):
                position = entry.id
                data = await _with_output(tasks, task, entry.data) if entry.event == "end" \
                    else entry.data
                yield _event(entry.event, data, entry.id)
                if entry.event == "end":
                    return
            if time.monotonic() >= beat:
                beat = time.monotonic() + limits.STREAM_HEARTBEAT_S
                yield ": heartbeat\n\n"
            await waiter.wait(limits.STREAM_POLL_S)


async def _with_output(tasks: Tasks, task: tuple[str, str], data: dict[str, Any],
                       ) -> dict[str, Any]:
    snapshot = await tasks.look(*task)
    return data if snapshot is None else snapshot.state.result().model_dump(mode="json")


def _taken(texts: list[str]) -> list[str]:
    taken, texts[:] = list(texts), []
    return taken


def _position(after: str) -> str:
    milliseconds, _, number = after.partition("-")
    if not milliseconds.isdecimal() or (number and not number.isdecimal()):
        raise Malformed(f"Last-Event-ID {after!r} is no id of this stream")
    return after


def _event(name: str, data: dict[str, Any], ident: str | None = None) -> str:
    head = f"id: {ident}\n" if ident else ""
    return f"{head}event: {name}\ndata: {json.dumps(data)}\n\n"
