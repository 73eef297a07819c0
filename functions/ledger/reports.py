"""Says what was spent: by task, and in all."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from functions.ledger import keys
from functions.ledger.accounts import SAFE
from functions.ledger.store import Store
from functions.ledger.windows import TTL_S
from shared.store import mapped

DAYS_KEPT = -TTL_S["d"] // 86_400
"""Accounts of days older than this are gone: what was posted to them is not known any more."""

ENDED = ("SETTLED", "VOIDED", "FORFEITED")


class Reports:
    """Reads of accounts and counters; each is one moment's truth."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._redis: Any = store.redis

    async def task(self, tenant: str, task: str) -> dict[str, Any]:
        """Return what a task and its sub-tasks posted and hold, and its reservations by state."""
        with mapped():
            found = await self._redis.hgetall(
                keys.account(tenant, f"task|{quote(task, SAFE)}|life"))
        states = {k[2:]: int(n) for k, n in found.items() if k.startswith("n.")}
        calls_open = int(found.get("calls.res", 0))
        return {
            "posted_nano": int(found.get("usd.pst", 0)), "held_nano": int(found.get("usd.res", 0)),
            "posted_tok": int(found.get("tok.pst", 0)), "held_tok": int(found.get("tok.res", 0)),
            "reservations": states | ({"PENDING": calls_open} if calls_open else {})}

    async def days(self, tenant: str, first: date, last: date) -> dict[str, Any]:
        """Return what a tenant's accounts of days hold, both ends included, in its time zone.

        A call belongs to the day on which it was reserved, and so do its corrections, whenever
        they come. Days that are over for `DAYS_KEPT` are left out.
        """
        zone = (await self._store.reload(tenant)).limits.zone
        today = datetime.fromtimestamp(await self._store.now(), UTC).astimezone(ZoneInfo(zone))
        first = max(first, today.date() - timedelta(DAYS_KEPT - 1))
        days = [(first + timedelta(n)).isoformat() for n in range((last - first).days + 1)]
        with mapped():
            async with self._redis.pipeline(transaction=False) as pipe:
                for day in days:
                    pipe.hmget(keys.account(tenant, f"tenant|{tenant}|d|{day}"),
                               ["usd.pst", "usd.res", "tok.pst"])
                found = await pipe.execute() if days else []
        return {"tenant": tenant, "zone": zone, "days": [
            {"day": day, "posted_nano": int(posted or 0), "held_nano": int(held or 0),
             "posted_tok": int(tokens or 0)}
            for day, (posted, held, tokens) in zip(days, found, strict=True)]}

    async def summary(self, tenant: str) -> dict[str, Any]:
        """Return a tenant's money, its reservations by state, and how many events were numbered.

        One transaction: events = reservations that ended or were denied, plus alerts and
        corrections.
        """
        with mapped():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.hmget(keys.account(tenant, f"tenant|{tenant}|life"), ["usd.pst", "usd.res"])
                pipe.hgetall(keys.sequence(tenant))
                pipe.zcard(keys.leases(tenant))
                (posted, held), numbers, pending = await pipe.execute()
        states = {state: int(numbers.get(state, 0)) for state in (*ENDED, "DENIED")}
        terminal = sum(states[state] for state in ENDED)
        return {
            "tenant": tenant, "posted_nano": int(posted or 0), "held_nano": int(held or 0),
            "pending": pending, "terminal": terminal, "reservations": terminal + pending,
            "states": states | {"PENDING": pending}, "events": int(numbers.get("n", 0)),
            "epoch": numbers.get("epoch", "0")}
