"""Moves chunks of a cap over tenants into each tenant's own limit, and back (ADR 0026).

A pool and a tenant's account live in different slots, so no script can change both. Each of the
two counters per tenant only grows and has one owner; the other side keeps a copy that may be late.
Being late always errs towards a tighter limit, and doing a transfer again changes nothing.
"""

import asyncio
import logging
from dataclasses import dataclass
from weakref import WeakValueDictionary

from functions.ledger import keys
from functions.ledger.accounts import cap_account
from functions.ledger.limits import Cap
from functions.ledger.store import Store
from functions.ledger.windows import TTL_S
from shared.store import mapped

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Share:
    """One tenant's account under a cap."""

    free: int
    """Of its limit, neither held nor posted."""
    back: int
    """What it ever gave back."""


class Escrow:
    """The pools of all caps."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._drawing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def draw(self, tenant: str, cap: Cap, account: str, need: int) -> bool:
        """Raise the account's limit by chunks until `need` fits; false if too few are left.

        One at a time per account in this process, or each of many calls would take a chunk.

        Raises:
            Unavailable: Redis is away; what was taken and not credited is credited next time.
        """
        async with self._drawing.setdefault(f"{tenant} {account}", asyncio.Lock()):
            found = await self._credit(tenant, cap, account)
            for want in (0, None):  # first what was taken and never credited
                if found.free >= need:
                    return True
                wanted = need - found.free if want is None else want
                taken = await self._pool(tenant, cap, account, want=wanted, back=found.back)
                found = await self._credit(tenant, cap, account, taken=taken)
        if found.free < need:
            log.warning("cap %s: tenant %s needs %d %s, the pool has too little",
                        cap.name, tenant, need, cap.unit)
        return found.free >= need

    async def give_back(self, tenant: str, cap: Cap, account: str) -> int:
        """Give the pool every whole chunk that the tenant does not use; return how much.

        Raises:
            Unavailable: Redis is away; the pool learns of it next time.
        """
        with mapped():
            if not await self._store.redis.exists(keys.account(tenant, account)):
                return 0
        before = await self._credit(tenant, cap, account)
        after = await self._credit(tenant, cap, account, is_giving=True)
        if after.back:
            await self._pool(tenant, cap, account, want=0, back=after.back)
        return after.back - before.back

    async def sweep(self, tenant: str) -> int:
        """Give back what this tenant does not need, under all of its caps."""
        known = await self._store.tenant(tenant)
        return sum([await self.give_back(tenant, cap, cap_account(cap, known.windows))
                    for cap in known.limits.caps])

    async def _pool(self, tenant: str, cap: Cap, account: str, *, want: int, back: int) -> int:
        label = account.split("|", 2)[2]
        answer = await self._store.run("draw", [keys.pool(cap.name, label, cap.unit)], [
            tenant, want, back, cap.limit, cap.chunk, abs(TTL_S[cap.window])])
        return int(answer[0])

    async def _credit(self, tenant: str, cap: Cap, account: str, *, taken: int | str = "",
                      is_giving: bool = False) -> _Share:
        limit, back, used = await self._store.run("credit", [keys.account(tenant, account)], [
            cap.unit, taken, int(is_giving), cap.chunk, abs(TTL_S[cap.window])])
        return _Share(int(limit) - int(used), int(back))
