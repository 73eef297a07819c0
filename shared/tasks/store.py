"""The one place that reads and writes tasks in Redis; every change is one script."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from shared import limits
from shared.errors import Permanent, Transient
from shared.store import Redis, Script, Value, mapped
from shared.tasks import keys
from shared.tasks.contract import Status
from shared.tasks.state import SCHEMA_VERSION, StepRecord, TaskState

_LUA = Path(__file__).parent / "lua"
FINAL_STEP = 1_000_000
"""What claims are fenced by once a task is final."""


class Newer(Transient):
    """The document was written by a later release: another instance can read it."""

    title = "State is newer"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A task as one read saw it."""

    state: TaskState
    version: int
    results: Mapping[str, dict[str, Any]]
    """By call id, those that are in."""
    outbox: Mapping[str, str]
    """Events that no broker has acknowledged yet: id → structured JSON."""
    cancel: str | None
    stored_status: Status | None = None
    """What Redis has, where `state` says otherwise already; the index knows the task by it."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Return the call ids that the committed step still waits for."""
        return tuple(c.call_id for c in self.state.calls if c.call_id not in self.results)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the stream that waiters read."""

    event: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Commit:
    """A new state and everything that must appear with it."""

    before: Snapshot
    state: TaskState
    due_at: float
    token: int | None = None
    """The step claim's, if the commit ends a claimed step."""
    events: Sequence[tuple[str, str]] = ()
    """Id and structured JSON of each outgoing event."""
    records: Sequence[StepRecord] = ()
    replaced: Sequence[StepRecord] = ()
    """If any, they become the whole list: a final task keeps less."""
    entries: Sequence[Entry] = ()
    turn: str = ""
    """What the session remembers of the task, once it is final."""
    awaited: Sequence[str] = field(default_factory=tuple)


class Tasks:
    """Tasks of all tenants in one Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._submit = Script(_LUA / "submit.lua")
        self._record = Script(_LUA / "record.lua")
        self._commit = Script(_LUA / "commit.lua")
        self._published = Script(_LUA / "published.lua")

    async def submit(self, state: TaskState, event: tuple[str, str], due_at: float) -> TaskState:
        """Create the task if it is absent; return the stored state, whoever created it.

        `event` is what a gateway must publish then (id, structured JSON), or `("", "")`.

        Raises:
            Unavailable: Redis is away; nothing is known, the same call may be made again.
        """
        tenant, task = state.tenant, state.task
        with mapped():
            await self._redis.sadd(keys.TENANTS, tenant)
        stored = await self._submit(self._redis, [
            keys.task(tenant, task.id), keys.due(tenant), keys.stream(tenant, task.id),
            keys.index(tenant), keys.index(tenant, "agent", task.agent),
            keys.index(tenant, "status", state.status),
        ], [task.id, state.model_dump_json(), *event, due_at, state.created_at,
            limits.STATE_TTL_S, json.dumps({"status": state.status}), f"{tenant} {task.id}"])
        return state if stored[0] == 2 else parsed(stored[1])

    async def look(self, tenant: str, task_id: str) -> Snapshot | None:
        """Return the task, or `None` if there is none (or only a cancel that came first)."""
        return await self._recorded(tenant, task_id, "look")

    async def result(self, tenant: str, task_id: str, call_id: str, value: str) -> Snapshot | None:
        """Write down a call's result, the first one only, if the task waits for it."""
        return await self._recorded(tenant, task_id, "result", call=call_id, value=value)

    async def cancel(self, tenant: str, task_id: str, reason: str) -> Snapshot | None:
        """Write down that the task shall end; for an unknown task this is a tombstone."""
        return await self._recorded(tenant, task_id, "cancel",
                                    value=reason or "cancelled")

    async def _recorded(self, tenant: str, task_id: str, kind: str, *, call: str = "",
                        value: str = "") -> Snapshot | None:
        flat = await self._record(self._redis, [keys.task(tenant, task_id)],
                                  [kind, call, value, limits.STATE_TTL_S])
        return _snapshot(dict(zip(flat[::2], flat[1::2], strict=True)))

    async def commit(self, commit: Commit) -> int:
        """Commit; return the new version, 0 after a conflict, -1 if the claim was lost."""
        before, state = commit.before.state, commit.state
        tenant, task = state.tenant, state.task
        final = state.status.final
        args: list[Value] = [
            task.id, commit.before.version, commit.token or "", state.model_dump_json(),
            FINAL_STEP if final else state.step, commit.due_at, limits.STATE_TTL_S,
            state.created_at, commit.turn, limits.HISTORY_TURNS_MAX, int(final),
            int(final or state.step != before.step), f"{tenant} {task.id}",
            limits.STREAM_ENTRIES_KEPT,
            *_counted([r.model_dump_json(exclude_defaults=True) for r in commit.records]),
            *_counted(list(commit.awaited)), *_paired(commit.events),
            *_paired([(e.event, json.dumps(e.data)) for e in commit.entries]),
            *_counted([r.model_dump_json(exclude_defaults=True) for r in commit.replaced]),
        ]
        return int(await self._commit(self._redis, [
            keys.task(tenant, task.id), keys.claim(tenant, task.id, before.step + 1),
            keys.due(tenant),
            keys.steps(tenant, task.id), keys.stream(tenant, task.id),
            keys.index(tenant, "status", commit.before.stored_status or before.status),
            keys.index(tenant, "status", state.status),
            keys.session(tenant, task.agent, task.session_id),
        ], args))

    async def published(self, state: TaskState, ids: Sequence[str], due_at: float | None) -> int:
        """Forget events that the broker has; return how many are left. Replay-safe.

        Once none is left the task is due at `due_at`, or never again if that is `None`.
        """
        score: Value = "" if due_at is None else due_at
        return int(await self._published(
            self._redis, [keys.task(state.tenant, state.task.id), keys.due(state.tenant)],
            [state.task.id, score, limits.STATE_TTL_S, *ids]))

    async def checked_in(self, tenant: str, reference: str) -> Any:
        """Return the JSON value behind a claim check `cc:{tenant}:<sha256>`.

        Raises:
            Permanent: the reference is another tenant's, or its value is gone.
        """
        key = keys.claim_check(tenant, reference.rpartition(":")[2])
        with mapped():
            text = await self._redis.get(key) if key == reference else None
        if text is None:
            raise Permanent(f"claim check {reference} has no value for tenant {tenant}")
        return json.loads(text)

    async def told(self, tenant: str, task_id: str, text: str) -> None:
        """Tell whoever listens now a piece of the answer as it is streamed; nobody keeps it."""
        with mapped():
            await self._redis.publish(keys.HINTS, f"{tenant} {task_id} {text}")

    async def steps(self, tenant: str, task_id: str) -> list[StepRecord]:
        """Return the step records of a task, oldest first; empty if unknown."""
        with mapped():
            raw = await self._redis.lrange(keys.steps(tenant, task_id), 0, -1)
        return [StepRecord.model_validate_json(text) for text in raw]

    async def history(self, tenant: str, agent: str, session: str) -> list[dict[str, str]]:
        """Return what the session remembers, oldest first: `prompt` and `output` per task."""
        with mapped():
            raw = await self._redis.lrange(keys.session(tenant, agent, session), 0, -1)
        return [json.loads(text) for text in raw]


def parsed(document: str) -> TaskState:
    """Return the state of a stored document.

    Raises:
        Newer: a later release wrote it.
    """
    try:
        return TaskState.model_validate_json(document)
    except ValidationError:
        found = json.loads(document).get("schema_version", 0)
        if found > SCHEMA_VERSION:
            raise Newer(f"task state has schema {found}, this release reads {SCHEMA_VERSION}"
                        ) from None
        raise


def _snapshot(fields: Mapping[str, str]) -> Snapshot | None:
    if "doc" not in fields:
        return None
    return Snapshot(
        state=parsed(fields["doc"]), version=int(fields["v"]), cancel=fields.get("cancel"),
        results={n[2:]: json.loads(v) for n, v in fields.items() if n[:2] == "r:" and v},
        outbox={n[2:]: v for n, v in fields.items() if n[:2] == "o:"},
    )


def _counted(items: Sequence[str]) -> list[Value]:
    return [len(items), *items]


def _paired(items: Sequence[tuple[str, str]]) -> list[Value]:
    return [len(items), *(part for pair in items for part in pair)]


