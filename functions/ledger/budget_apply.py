"""Applies what a budget file wants, by compare-and-set, and warns of what matches nothing."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from functions.ledger import keys
from functions.ledger.accounts import SAFE
from functions.ledger.budget_changes import (
    Change,
    Section,
    Wanted,
    applied,
    cap_changes,
    caps_after,
    caps_change,
    changes,
)
from functions.ledger.limits import Cap, Limits, Origin, refuse_too_many
from functions.ledger.price_table import PriceTable
from functions.ledger.prices import PriceBook
from functions.ledger.store import Store
from functions.ledger.windows import windows_at
from shared.errors import Busy, Permanent
from shared.limits import COMMIT_RETRIES_MAX
from shared.metering import Unpriced
from shared.store import mapped

log = logging.getLogger(__name__)
NOTHING = Section(None, {}, None)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a file changes for one tenant, against the texts that were read."""

    tenant: str
    made: tuple[Change, ...]
    after: Limits
    """What holds once they are made."""

    def shown(self) -> list[dict[str, Any]]:
        """Return the changes for people."""
        return [{"tenant": self.tenant, **change.shown()} for change in self.made]


class BudgetFiles:
    """Budgets, zones, prices and caps as a file has them."""

    def __init__(self, store: Store, prices: PriceBook) -> None:
        self._store, self._prices = store, prices

    async def apply(self, wanted: Wanted, *, origin: Origin = "",
                    dry_run: bool = False) -> dict[str, Any]:
        """Make the stored budgets what a file wants; return what changes, and warnings.

        Everything is checked before anything is written; each tenant's changes appear together.
        The same file again changes nothing.

        Raises:
            Permanent: some call would get too many accounts. Unavailable: Redis is away.
            Busy: others change the same budgets without end.
        """
        stored = await self._hash(keys.CAPS)
        stored.pop("version", None)
        caps_made = cap_changes(stored, wanted.caps, origin)
        caps = caps_after(stored, caps_made) if caps_made or wanted.caps else {}
        tenants = {*wanted.tenants, *caps, *(await self._store.tenants() if origin else ())}
        plans = [await self._plan(tenant, wanted, caps.get(tenant), origin)
                 for tenant in sorted(tenants)]
        if not dry_run:
            await self._write(caps_made, plans, wanted=wanted, caps=caps, origin=origin)
        return {"changes": [{"tenant": None, **change.shown()} for change in caps_made] + [
                    each for plan in plans for each in plan.shown()],
                "warnings": await self._warnings(wanted, plans), "dry_run": dry_run}

    async def doubts(self, tenant: str, scope: str, owner_id: str) -> list[str]:
        """Return why a budget of an owner may match nothing; empty if there is no doubt."""
        own = (await self._store.reload(tenant)).limits.prices
        return await self._doubts(tenant, f"{scope}|{quote(owner_id, SAFE)}", own, is_new=False)

    async def caps(self) -> list[dict[str, Any]]:
        """Return every cap over tenants with what is taken of it in the current window."""
        stored = await self._hash(keys.CAPS)
        stored.pop("version", None)
        utc = windows_at(await self._store.now()).utc
        found = []
        for _, text in sorted(stored.items()):
            cap = Cap.model_validate_json(text)
            taken = await self._pool(cap, utc[cap.window])
            found.append({**cap.model_dump(mode="json"), "taken": taken,
                          "free": max(cap.limit - taken, 0)})
        return found

    async def _pool(self, cap: Cap, label: str) -> int:
        with mapped():
            used: Any = await self._store.redis.hget(
                keys.pool(cap.name, label, cap.unit), "used")
        return int(used or 0)

    async def _plan(self, tenant: str, wanted: Wanted, caps: tuple[Cap, ...] | None,
                    origin: Origin) -> Plan:
        stored = await self._hash(keys.limits(tenant))
        made = changes(stored, wanted.tenants.get(tenant, NOTHING),
                       now=await self._store.now(), origin=origin)
        made += caps_change(stored, caps) if caps is not None else []
        after = Limits.parse(applied(stored, made))
        try:
            refuse_too_many(after)
        except Permanent as error:
            raise Permanent(f"tenant {tenant}: {error.detail}") from error
        return Plan(tenant, tuple(made), after)

    async def _write(self, caps_made: list[Change], plans: list[Plan], *, wanted: Wanted,
                     caps: Mapping[str, tuple[Cap, ...]], origin: Origin) -> None:
        if caps_made and not await self._swapped([keys.CAPS], caps_made):
            raise Busy("the caps are being changed by others: apply the file again")
        for first in plans:
            plan = first
            for _ in range(COMMIT_RETRIES_MAX):
                if not plan.made or await self._swapped(
                        [keys.limits(plan.tenant), keys.wake(plan.tenant)], plan.made):
                    break
                plan = await self._plan(plan.tenant, wanted, caps.get(plan.tenant), origin)
            else:
                raise Busy(f"the budgets of tenant {plan.tenant} are being changed by others")
            if plan.made:
                await self._store.reload(plan.tenant)

    async def _swapped(self, script_keys: list[str],
                       made: list[Change] | tuple[Change, ...]) -> bool:
        flat = [text for change in made for text in (change.field, change.before, change.after)]
        return await self._store.run_one("budget", script_keys, flat)

    async def _hash(self, key: str) -> dict[str, str]:
        with mapped():
            found: Any = await self._store.redis.hgetall(key)
        return dict(found)

    async def _warnings(self, wanted: Wanted, plans: Iterable[Plan]) -> list[str]:
        """Return which budgets may match nothing."""
        named = {*wanted.tenants, *(name for cap in wanted.caps.values() for name in cap.tenants)}
        new = [tenant for tenant in sorted(named)
               if not await self._is_charged(tenant, f"tenant|{tenant}")]
        found = [f"tenant {tenant} has never been charged: is it spelled right?" for tenant in new]
        own = {plan.tenant: plan.after.prices for plan in plans}
        for tenant, section in wanted.tenants.items():
            for owner in dict.fromkeys(name.rsplit("|", 2)[0] for name in section.limits):
                found += await self._doubts(tenant, owner, own[tenant], is_new=tenant in new)
        return found

    async def _doubts(self, tenant: str, owner: str, own: PriceTable | None, *,
                      is_new: bool) -> list[str]:
        """Return why a budget of an owner may match nothing; a new tenant's owners are new, too."""
        scope, _, quoted = owner.partition("|")
        name = unquote(quoted)
        if scope in ("model", "tool"):
            return [] if self._is_priced(scope, name, own) else [
                f"tenant {tenant}: {scope} {name} has no price here: nothing can call it"]
        if scope == "tenant" or is_new or await self._is_charged(tenant, owner):
            return []
        return [f"tenant {tenant}: {scope} {name} has never been charged: is it spelled right?"]

    async def _is_charged(self, tenant: str, owner: str) -> bool:
        with mapped():
            return bool(await self._store.redis.exists(keys.account(tenant, f"{owner}|life")))

    def _is_priced(self, scope: str, name: str, own: PriceTable | None) -> bool:
        try:
            if scope == "tool":
                self._prices.tool(name, None, own)
            else:
                self._prices.model(name, 0, own=own)
        except Unpriced:
            return False
        return True
