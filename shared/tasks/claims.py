"""Claims a step for one process at a time, and keeps what that step has done so far."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from shared import limits
from shared.errors import Busy, Transient
from shared.store import Redis, Script
from shared.tasks import keys


class Committed(Exception):
    """The step was committed already, or the task is final."""


class Fenced(Busy):
    """Another process took the step over; what this one does no longer counts."""

    title = "Fenced"


class Claim:
    """A held step claim. `token` grows with each holder; `record` survives them."""

    def __init__(self, claims: "Claims", where: tuple[str, str, int], token: int,
                 record: dict[str, Any]) -> None:
        self._claims = claims
        self._where = where
        self.token = token
        self.record = record

    async def store(self, record: dict[str, Any]) -> None:
        """Keep what the step has done; a successor finds it.

        Raises:
            Fenced: another process took the step over.
        """
        if not await self._claims.run("store", self._where, self.token, json.dumps(record)):
            raise Fenced(f"step {self._where[2]} of task {self._where[1]} has another holder")
        self.record = record


class Claims:
    """Step claims of all tasks in one Redis."""

    def __init__(self, redis: Redis, *, lease_s: float = limits.CLAIM_LEASE_S,
                 renew_s: float = limits.CLAIM_RENEW_S) -> None:
        self._redis = redis
        self._script = Script(Path(__file__).parent / "lua" / "claim.lua")
        self._lease_s = lease_s
        self._renew_s = renew_s

    async def run(self, op: str, where: tuple[str, str, int], token: int | str = "",
                  record: str = "") -> Any:
        """Run one operation of the claim script on (tenant, task, step)."""
        tenant, task_id, step = where
        return await self._script(
            self._redis, [keys.claim(*where), keys.task(tenant, task_id)],
            [op, step, token, int(self._lease_s * 1000), record, limits.STATE_TTL_S])

    async def is_held(self, tenant: str, task_id: str, step: int) -> bool:
        """Tell whether a living process holds the step."""
        return bool(await self.run("held", (tenant, task_id, step)))

    @asynccontextmanager
    async def hold(self, tenant: str, task_id: str, step: int,
                   first: dict[str, Any] | None = None) -> AsyncIterator[Claim]:
        """Hold the step while the block runs, renewing the lease; release it if it fails.

        `first` becomes the record of a step that has none.

        A commit under the claim's token deletes it, so a block that commits has nothing to release.

        Raises:
            Committed: there is nothing left to do for this step.
            Busy: a living other process holds it; the broker retries.
        """
        where = (tenant, task_id, step)
        token, rest = await self.run("take", where, record=json.dumps(first) if first else "")
        if token == -1:
            raise Committed
        if token == 0:
            raise Busy(f"step {step} of task {task_id} is held for another {rest} ms")
        claim = Claim(self, where, int(token), json.loads(rest) if rest else {})
        renewal = asyncio.create_task(self._renew(where, claim.token))
        try:
            yield claim
        except BaseException:
            with suppress(Transient):
                await self.run("release", where, claim.token)
            raise
        finally:
            renewal.cancel()

    async def _renew(self, where: tuple[str, str, int], token: int) -> None:
        while True:
            await asyncio.sleep(self._renew_s)
            with suppress(Transient):  # the lease outlives several missed renewals
                await self.run("renew", where, token)
