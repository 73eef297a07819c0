"""Reads tasks for callers: lists, pages, and the stream that waiters follow."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.errors import Malformed
from shared.limits import TOOL_CALLS_PER_STEP_MAX
from shared.store import Redis, mapped
from shared.tasks import keys
from shared.tasks.contract import Status
from shared.tasks.state import TaskState
from shared.tasks.store import parsed

_SCAN = 100

_LAST_READ = TOOL_CALLS_PER_STEP_MAX
"""Entries among which is what a task waits for: calls that ran beside may have ended since."""


@dataclass(frozen=True, slots=True)
class Query:
    """Which tasks to list; newest first."""

    status: Status | None = None
    agent: str | None = None
    since: float = 0.0
    """Created at or after; seconds since the epoch."""
    until: float = float("inf")
    limit: int = 50
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class StreamEntry:
    """One entry of a task's stream."""

    id: str
    event: str
    data: dict[str, Any]


class Reader:
    """Reads tasks of one Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def entries(self, tenant: str, task_id: str, after: str = "0") -> list[StreamEntry]:
        """Return the stream's entries after an id, oldest first."""
        with mapped():
            raw: Any = await self._redis.xrange(keys.stream(tenant, task_id), min=f"({after}")
        return _entries(raw)

    async def reasons(self, tenant: str, states: Sequence[TaskState]) -> dict[str, str]:
        """Return what each task waits for, of those that wait, by its id."""
        waiting = [state.task.id for state in states if state.wake_at is not None]
        if not waiting:
            return {}
        with mapped():
            async with self._redis.pipeline(transaction=False) as pipe:
                for task_id in waiting:
                    pipe.xrevrange(keys.stream(tenant, task_id), count=_LAST_READ)
                last = await pipe.execute()
        found: dict[str, str] = {}
        for task_id, raw in zip(waiting, last, strict=True):
            newest = next((one.data for one in _entries(raw) if one.event == "status"), {})
            if "reason" in newest:
                found[task_id] = newest["reason"]
        return found

    async def page(self, tenant: str, query: Query) -> tuple[list[TaskState], str | None]:
        """Return a page of tasks and the cursor of the next one, `None` at the end.

        Raises:
            Malformed: the cursor is not one of ours.
        """
        index = self._index(tenant, query)
        top, skip = _position(query)
        found: list[TaskState] = []
        while True:
            with mapped():
                ids: Any = await self._redis.zrevrangebyscore(
                    index, top, query.since, start=skip, num=_SCAN, withscores=True)
            for offset, state in enumerate(await self._states(tenant, [i for i, _ in ids])):
                if state is None or not _matches(state, query):
                    continue
                if len(found) == query.limit:
                    return found, f"{top}:{skip + offset}"
                found.append(state)
            if len(ids) < _SCAN:
                return found, None
            skip += _SCAN

    @staticmethod
    def _index(tenant: str, query: Query) -> str:
        if query.agent is not None:
            return keys.index(tenant, "agent", query.agent)
        if query.status is not None:
            return keys.index(tenant, "status", query.status)
        return keys.index(tenant)

    async def _states(self, tenant: str, ids: list[str]) -> list[TaskState | None]:
        if not ids:
            return []
        with mapped():
            async with self._redis.pipeline(transaction=False) as pipe:
                for task_id in ids:
                    pipe.hget(keys.task(tenant, task_id), "doc")
                documents = await pipe.execute()
        return [parsed(text) if text else None for text in documents]


def _entries(raw: Iterable[tuple[str, Mapping[str, str]]]) -> list[StreamEntry]:
    return [StreamEntry(at, fields["event"], json.loads(fields["data"])) for at, fields in raw]


def _position(query: Query) -> tuple[float, int]:
    if query.cursor is None:
        return query.until, 0
    top, _, skip = query.cursor.partition(":")
    try:
        return float(top), int(skip)
    except ValueError:
        raise Malformed(f"cursor {query.cursor!r} is not one that a list returned") from None


def _matches(state: TaskState, query: Query) -> bool:
    return ((query.status is None or state.status is query.status)
            and (query.agent is None or state.task.agent == query.agent))
