"""Claims a tool call for one process at a time, and keeps its outcome.

| pattern | type | TTL | written by |
|---|---|---|---|
| `tl:{tenant}:<call id>` | hash, see `call.lua` | 14 d after each write | tools, dead letters |
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from shared.errors import Busy, Transient
from shared.limits import CLAIM_LEASE_S, CLAIM_RENEW_S, STATE_TTL_S
from shared.store import Redis, Script

_SCRIPT = Path(__file__).parent / "call.lua"


class Fenced(Busy):
    """Another process took the call over; what this one does no longer counts."""

    title = "Fenced"


def row(tenant: str, call_id: str) -> str:
    """Return the key of a tool call's row."""
    return f"tl:{{{tenant}}}:{call_id}"


@dataclass(frozen=True, slots=True)
class Call:
    """A call's row as it was found, under the token of whoever asked."""

    tenant: str
    call_id: str
    token: int
    attempt: int
    runs: int
    """Runs begun, ended or not."""
    started: int
    """The attempt whose run began last; equal to `attempt` without an outcome means unknown."""
    outcome: str
    """JSON of the outcome, or empty."""
    settlement: str
    """JSON of what the run used, or empty if nothing is to be settled."""
    is_settled: bool
    is_published: bool
    nudge: int
    """The last nudge that was answered."""

    @property
    def is_unknown(self) -> bool:
        """Tell whether a run of this attempt began and left no outcome."""
        return not self.outcome and self.started >= self.attempt


class Calls:
    """The rows of all tool calls in one Redis."""

    def __init__(self, redis: Redis, *, lease_s: float = CLAIM_LEASE_S,
                 renew_s: float = CLAIM_RENEW_S) -> None:
        self._redis = redis
        self._script = Script(_SCRIPT)
        self._lease_s = lease_s
        self._renew_s = renew_s

    @asynccontextmanager
    async def take(self, tenant: str, call_id: str) -> AsyncIterator[Call]:
        """Hold the call while the block runs, renewing the lease; release it at the end.

        A call that is published already is yielded without being held.

        Raises:
            Busy: a living other process holds it; the broker retries.
        """
        state, *found, left = await self._run("take", (tenant, call_id))
        if state == "held":
            raise Busy(f"call {call_id} is held for another {left} ms")
        call, ended = _call(tenant, call_id, found), asyncio.Event()
        renewal = asyncio.create_task(self._renew(call, ended))
        try:
            yield call
        finally:
            # A renewal still on its way would take the lease again after the release.
            ended.set()
            renewal.cancel()
            await asyncio.wait({renewal})
            with suppress(Transient):
                await self._run("release", (tenant, call_id), call.token)

    async def start(self, call: Call) -> Call:
        """Note that a run begins: from here on its outcome may be unknown.

        Raises:
            Fenced: another process took the call over.
        """
        await self._write("start", call)
        return replace(call, started=call.attempt, runs=call.runs + 1)

    async def again(self, call: Call, *, was_void: bool) -> Call:
        """Go on to the next attempt, which has a reservation of its own.

        `was_void` says that the ledger never let the run begin, so it is not counted.

        Raises:
            Fenced: another process took the call over.
        """
        await self._write("next", call, "void" if was_void else "")
        return replace(call, attempt=call.attempt + 1, runs=call.runs - was_void)

    async def answer(self, call: Call, outcome: str, settlement: str = "") -> Call:
        """Store the outcome, and what is still to be settled for it.

        Raises:
            Fenced: another process took the call over.
        """
        await self._write("answer", call, outcome, settlement)
        return replace(call, outcome=outcome, settlement=settlement, is_settled=not settlement)

    async def done(self, call: Call, nudge: int) -> None:
        """Note that the broker has the outcome, the ledger its cost, and the nudge it answers."""
        await self._write("done", call, str(max(nudge, call.nudge)))

    async def decide(self, tenant: str, call_id: str, *, not_begun: str,
                     begun: str) -> tuple[str, bool]:
        """Store an outcome for a call that no delivery will answer, unless it has one.

        Returns the outcome that counts, and whether it was stored now. After this no delivery
        runs the tool. `begun` is for a call whose run started and left no outcome.
        """
        stored, outcome, _ = await self._run("decide", (tenant, call_id), "", not_begun, begun)
        return outcome, bool(stored)

    async def _write(self, op: str, call: Call, value: str = "", second: str = "") -> None:
        where = (call.tenant, call.call_id)
        if not await self._run(op, where, call.token, value, second):
            raise Fenced(f"call {call.call_id} has another holder")

    async def _run(self, op: str, where: tuple[str, str], token: int | str = "",
                   *values: str) -> Any:
        value, second = (*values, "", "")[:2]
        return await self._script(self._redis, [row(*where)], [
            op, token, int(self._lease_s * 1000), STATE_TTL_S, value, second])

    async def _renew(self, call: Call, ended: asyncio.Event) -> None:
        # The Redis client may turn a cancellation into a time-out: the event ends the loop then.
        while not ended.is_set():
            await asyncio.sleep(self._renew_s)
            with suppress(Transient):  # the lease outlives several missed renewals
                await self._run("renew", (call.tenant, call.call_id), call.token)


def _call(tenant: str, call_id: str, found: list[str]) -> Call:
    token, attempt, runs, started, outcome, settlement, settled, published, nudge = found
    return Call(
        tenant=tenant, call_id=call_id, token=int(token), attempt=int(attempt), runs=int(runs),
        started=int(started), outcome=outcome, settlement=settlement,
        is_settled=settled == "1", is_published=published == "1", nudge=int(nudge))
