"""Reads how the ledger is, tenant by tenant: what is open, what waits to be published."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from functions.ledger import keys
from functions.ledger.store import Store
from shared.store import mapped

STATES = ("SETTLED", "VOIDED", "FORFEITED", "DENIED")


@dataclass(frozen=True, slots=True)
class Condition:
    """One tenant, at one moment."""

    tenant: str
    ended: Mapping[str, int]
    """Reservations of all time by state: kept in Redis, so that no restart resets them."""
    open: int
    overdue_s: float
    """For how long the oldest lease is over; 0 if none is."""
    unpublished: int
    unpublished_s: float
    """How old the oldest event is that the broker has not accepted; 0 if there is none."""


async def condition(store: Store, tenant: str, now: float) -> Condition:
    """Return how a tenant's reservations and outbox are.

    Raises:
        Unavailable: Redis is away.
    """
    redis: Any = store.redis
    with mapped():
        async with redis.pipeline(transaction=False) as pipe:
            pipe.hgetall(keys.sequence(tenant))
            pipe.zcard(keys.leases(tenant))
            pipe.zrange(keys.leases(tenant), 0, 0, withscores=True)
            numbers, count, first = await pipe.execute()
    ends = float(first[0][1]) / 1000 if first else now
    unpublished, since = await _unpublished(redis, tenant, int(numbers.get("n", 0)))
    return Condition(
        tenant, {state: int(numbers.get(state, 0)) for state in STATES}, count,
        max(now - ends, 0.0), unpublished, max(now - since, 0.0) if since else 0.0)


async def _unpublished(redis: Any, tenant: str, last: int) -> tuple[int, float | None]:
    """Return how many events wait, and since when the oldest does, seconds since the epoch."""
    stream = keys.outbox(tenant)
    group = await _group(redis, stream)
    with mapped():
        if group is None:
            found = await redis.xrange(stream, count=1)
            return (last, _at(found[0])) if found else (0, None)
        waits = group["pending"] + max(last - _number(group["last-delivered-id"]), 0)
        if not waits:
            return 0, None
        read = await redis.xpending(stream, keys.DRAIN_GROUP) if group["pending"] else {}
        start = read.get("min") or f"({group['last-delivered-id']}"
        found = await redis.xrange(stream, start, "+", count=1)
    return waits, _at(found[0]) if found else None


async def _group(redis: Any, stream: str) -> dict[str, Any] | None:
    with mapped():
        if not await redis.exists(stream):
            return None
        groups = await redis.xinfo_groups(stream)
    return next((group for group in groups if group["name"] == keys.DRAIN_GROUP), None)


def _number(place: str) -> int:
    return int(place.partition("-")[2])


def _at(entry: tuple[str, Mapping[str, str]]) -> float:
    return int(entry[1]["at"]) / 1000
