"""Drains the outbox and ends overdue leases while the ledger runs."""

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any

from functions.ledger import keys
from functions.ledger.budget_mount import MountedBudgets
from functions.ledger.escrow import Escrow
from functions.ledger.finishing import Endings
from functions.ledger.outbox import Outbox
from functions.ledger.store import Store
from functions.ledger.switch import Switch
from functions.ledger.waking import Waking
from shared.at_once import at_once
from shared.clock import Clock, now_s
from shared.doubts import doubted_epochs
from shared.errors import TollgateError
from shared.limits import (
    ESCROW_BACK_EVERY_TICKS,
    OUTBOX_EVERY_S,
    OUTBOX_TENANTS_MAX,
    SWEEP_BATCH_MAX,
    SWEEP_EVERY_S,
)
from shared.store import mapped

log = logging.getLogger(__name__)
CLAIM_EVERY_TICKS = 2
DOUBTS_EVERY_TICKS = 60
TRIM_EVERY_TICKS = 600


class Background:
    """One task per process; any number of ledgers may run it at once."""

    def __init__(self, store: Store, endings: Endings, outbox: Outbox, *,
                 mounted: MountedBudgets, escrow: Escrow, waking: Waking,
                 switch: Switch, clock: Clock = now_s) -> None:
        self._store, self._endings, self._outbox = store, endings, outbox
        self._mounted, self._escrow, self._waking = mounted, escrow, waking
        self._switch, self._clock = switch, clock
        self._dirty: set[str] = set()
        self._work = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._ticks = 0

    async def start(self) -> None:
        """Begin; the task ends with the process, since all it does can be done again."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End the task; for tests."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def wrote(self, tenant: str) -> None:
        """Say that a script may have written an event of this tenant."""
        self._dirty.add(tenant)
        self._work.set()

    async def _run(self) -> None:
        swept_at = 0.0
        while True:
            await self._idle(swept_at)
            self._work.clear()
            dirty, self._dirty = self._dirty, set()
            await at_once(OUTBOX_TENANTS_MAX,
                          lambda tenant: self._guarded(self._outbox.drain(tenant)), dirty)
            if self._clock() - swept_at >= SWEEP_EVERY_S:
                await self._guarded(self.sweep())
                swept_at = self._clock()
            await asyncio.sleep(OUTBOX_EVERY_S)  # what comes meanwhile leaves together

    async def _idle(self, swept_at: float) -> None:
        wait_s = max(SWEEP_EVERY_S - (self._clock() - swept_at), 0.0)
        try:
            await asyncio.wait_for(self._work.wait(), wait_s)
        except TimeoutError:
            return

    async def _guarded(self, work: Awaitable[object]) -> bool:
        try:
            await work
        except TollgateError as error:
            log.warning("background work waits: %s", error.detail)
            return False
        except (LookupError, TypeError, ValueError):
            log.exception("background work failed: a bug")
            return False
        return True

    async def sweep(self) -> dict[str, int]:
        """End overdue leases and drain what is left, of every tenant; return the counts."""
        counts = {"tenants": 0, "ended": 0, "published": 0, "failed": 0}
        self._ticks += 1
        await self._guarded(self._mounted.look())
        await self._guarded(self._switch.announce())
        for tenant in await self._store.tenants():
            counts["tenants"] += 1
            await self._guarded(self._waking.go(tenant))
            counts["failed"] += not await self._guarded(self._swept(tenant, counts))
        return counts

    async def _swept(self, tenant: str, counts: dict[str, int]) -> None:
        counts["ended"] += await self._overdue(tenant)
        counts["published"] += await self._outbox.drain(tenant)
        if self._ticks % CLAIM_EVERY_TICKS == 0:
            counts["published"] += await self._outbox.claim(tenant)
        if self._ticks % DOUBTS_EVERY_TICKS == 0:
            for epoch in await doubted_epochs(self._store.redis, tenant):
                await self._store.end_epoch(tenant, epoch)  # only the one that runs can end
        if self._ticks % ESCROW_BACK_EVERY_TICKS == 0:
            await self._escrow.sweep(tenant)
        if self._ticks % TRIM_EVERY_TICKS == 0:
            await self._outbox.trim(tenant, await self._store.now())

    async def _overdue(self, tenant: str) -> int:
        now = await self._store.now()  # leases are in Redis's time, whatever this clock says
        with mapped():
            redis: Any = self._store.redis
            found = await redis.zrange(
                keys.leases(tenant), "-inf", int(now * 1000), byscore=True, offset=0,
                num=SWEEP_BATCH_MAX)
        return sum([await self._endings.sweep(tenant, each) for each in found])
