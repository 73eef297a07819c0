"""Keeps how tasks ended: by task, by day, and of all time. Never what was asked or answered."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from eventing.event import Event
from eventing.types import TaskCompleted
from functions.costs import keys
from functions.costs.events.facts import at_ms, is_tenant
from functions.costs.events.payload import AMOUNT_MAX, ID_CHARS_MAX
from functions.costs.questions.dimensions import nano_of
from functions.costs.questions.ranges import END_MS, Span, day_of
from shared.clock import rfc3339
from shared.errors import Malformed, Transient
from shared.metric_limits import TASK_BUCKETS_S
from shared.store import Redis, Script, mapped
from shared.tasks.contract import Status

_END = Script(Path(__file__).parent / "end.lua")

ENDS = ("completed", "partial", "failed", "cancelled")
"""`partial`: completed with an error, as over budget or at the last step."""

RUNNING = "running"
"""What a task is as long as no end of it came."""

TRIES_MAX = 8
"""Deliveries of one task's ends that meet each other: a task ends once, or once more if reopened.
"""

EVENTS_MAX = 16
"""Ends of one task whose ids are kept; one that is redriven ends a few times."""


@dataclass(frozen=True, slots=True)
class End:
    """How a task ended, the last time it did."""

    task: str
    agent: str
    status: str
    steps: int
    at_ms: int
    took_ms: int
    nano: int
    """What it had cost by then, in nano-USD; corrections come later."""
    events: tuple[str, ...]
    """Ids of the events that said so, the latest last."""

    @property
    def day(self) -> str:
        """Return the UTC day on which it ended."""
        return day_of(self.at_ms)

    @property
    def counted(self) -> dict[str, int]:
        """Return what it adds to its day."""
        return {f"{self.status} {self.agent}": 1, f"{self.status}:nano {self.agent}": self.nano}

    @property
    def counted_ever(self) -> dict[str, int]:
        """Return what it adds to the counts of all time, for figures that only grow."""
        bucket = next((str(most) for most in TASK_BUCKETS_S if self.took_ms <= most * 1000), "+Inf")
        return {f"{self.status} {self.agent}": 1, f"nano {self.agent}": self.nano,
                f"ms {self.agent}": self.took_ms, f"le:{bucket} {self.agent}": 1}


def read_end(event: Event) -> tuple[str, End]:
    """Return the tenant, and how its task ended.

    Raises:
        Malformed: the event names no tenant, no task or no time.
        ValidationError: it has no outcome of a task.
    """
    result = TaskCompleted.model_validate_json(event.data or b"").result
    tenant, task = event.get("tenantid") or "", result.task_id
    agent = (event.get("agent") or "")[:ID_CHARS_MAX]
    if not is_tenant(tenant) or not 0 < len(task) <= ID_CHARS_MAX:
        raise Malformed(f"tenantid {tenant!r}, task {task[:80]!r}: the end of a task names both")
    if not result.status.final:
        raise Malformed(f"task {task} is {result.status}: that is no end")
    if result.duration_ms > END_MS:
        raise Malformed(f"task {task} took {result.duration_ms} ms: longer than times are")
    partial = result.status is Status.COMPLETED and result.error
    return tenant, End(
        task=task, agent=agent, status="partial" if partial else str(result.status),
        steps=result.steps_used, at_ms=at_ms(event), took_ms=max(result.duration_ms, 0),
        nano=_nano(result.cost_usd), events=(event.id,))


def _nano(usd: str) -> int:
    try:
        nano = nano_of(usd)
    except (ArithmeticError, ValueError) as error:
        raise Malformed(f"cost_usd {usd[:80]!r} is no amount") from error
    if not 0 <= nano <= AMOUNT_MAX:
        raise Malformed(f"cost_usd {usd[:80]!r} is out of range")
    return nano


class Ends:
    """How a tenant's tasks ended."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis

    async def keep(self, tenant: str, end: End) -> bool:
        """Note an end, and tell whether it is new. Of several, the latest stands, in any order.

        Raises:
            Transient: Redis is away, or others note ends of this task: deliver it again.
        """
        for _ in range(TRIES_MAX):
            found = await self._found(tenant, end.task)
            before = _parsed(found) if found else None
            if before and end.events[-1] in before.events:
                return False
            names, given = replacing(tenant, end, before)
            if await _END(self._redis, names, [end.task, found, *given]) == "kept":
                return True
        raise Transient(f"task {end.task}: its end is noted by others, too")

    async def _found(self, tenant: str, task: str) -> str:
        with mapped():
            return await self._redis.hget(keys.of(tenant, "ended"), task) or ""

    async def of(self, tenant: str, tasks: Sequence[str]) -> dict[str, End]:
        """Return the ends of those of these tasks that have one."""
        if not tasks:
            return {}
        with mapped():
            found = await self._redis.hmget(keys.of(tenant, "ended"), list(tasks))
        return {task: _parsed(text) for task, text in zip(tasks, found, strict=True) if text}

    async def by_day(self, tenant: str, days: Iterable[str], agent: str | None = None,
                     ) -> dict[str, int]:
        """Return how many tasks ended how on these days, and `<end>:nano`, what they had cost."""
        with mapped():
            async with self._redis.pipeline(transaction=False) as pipe:
                for day in days:
                    pipe.hgetall(keys.of(tenant, "ends", day))
                kept = await pipe.execute()
        sums: dict[str, int] = defaultdict(int)
        for field, amount in (pair for fields in kept for pair in fields.items()):
            what, _, of = field.partition(" ")
            if agent in (None, of):
                sums[what] += int(amount)
        return dict(sums)

    async def ever(self, tenant: str) -> dict[str, dict[str, int]]:
        """Return the counts of all time by agent: ends, `nano`, `ms`, `le:<seconds>`.

        A task that was reopened is counted at each of its ends: these figures only grow.
        """
        with mapped():
            kept = await self._redis.hgetall(keys.of(tenant, "ends"))
        found: dict[str, dict[str, int]] = defaultdict(dict)
        for field, amount in kept.items():
            what, _, agent = field.partition(" ")
            found[agent][what] = int(amount)
        return dict(found)

    async def running(self, tenant: str, span: Span) -> int:
        """Return how many tasks without an end had their last event in the span."""
        with mapped():
            return int(await self._redis.zcount(keys.of(tenant, "open"), *_scores(span)))

    async def open(self, tenant: str, span: Span, most: int) -> list[str] | None:
        """Return the tasks without an end whose last event is in the span; `None`: over `most`."""
        with mapped():
            found: list[str] = await self._redis.zrangebyscore(
                keys.of(tenant, "open"), *_scores(span), start=0, num=most + 1)
        return found if len(found) <= most else None


def _scores(span: Span) -> tuple[str, str]:
    return ("-inf" if span.start_ms is None else str(span.start_ms),
            "+inf" if span.end_ms is None else f"({span.end_ms}")


def told(end: End | None) -> dict[str, str | int | None]:
    """Return how a task ended, as answers say it: `running` as long as nothing says otherwise."""
    if end is None:
        return {"status": RUNNING, "steps": None, "started": None, "ended": None}
    return {"status": end.status, "steps": end.steps,
            "started": rfc3339((end.at_ms - end.took_ms) / 1000),
            "ended": rfc3339(end.at_ms / 1000)}


def replacing(tenant: str, end: End, before: End | None) -> tuple[list[str], list[str | int]]:
    """Return keys and arguments of the script that puts an end in the place of another."""
    latest = before is None or end.at_ms >= before.at_ms
    stands = end if latest or before is None else before
    events = (*(before.events if before else ()), end.events[-1])[-EVENTS_MAX:]
    gone = before.counted if latest and before else {}
    new = end.counted if latest else {}
    pairs = [*gone.items(), *new.items(), *end.counted_ever.items()]
    names = [keys.of(tenant, "ended"), keys.of(tenant, "ends"), keys.of(tenant, "ends", end.day),
             keys.of(tenant, "ends", before.day if before else end.day),
             keys.of(tenant, "open"), keys.days(tenant)]
    return names, [json.dumps({**asdict(stands), "events": events}), end.day, len(gone), len(new),
                   *(part for pair in pairs for part in pair)]


def _parsed(text: str) -> End:
    found: Mapping[str, Any] = json.loads(text)
    return End(**{**found, "events": tuple(found["events"])})
