"""Reads and edits limits; editing one never touches what was spent."""

from typing import Any
from urllib.parse import quote, unquote

from functions.ledger import keys
from functions.ledger.accounts import SAFE
from functions.ledger.limits import UNITS, Limit, Limits, Scope, field, refuse_too_many
from functions.ledger.requests import BudgetBody
from functions.ledger.store import Store
from functions.ledger.windows import HOUR_S, Window, Windows, bounds
from shared.errors import Busy, Forbidden, NotFound
from shared.limits import COMMIT_RETRIES_MAX
from shared.store import mapped

AMOUNTS = ("res", "pst", "ovr", "unr")


class Budgets:
    """The limits of every tenant."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(self, tenant: str, scope: Scope, owner_id: str, body: BudgetBody,
                  ) -> dict[str, Any]:
        """Set one limit; it holds for the very next reserve.

        Raises:
            Busy: its revision is not the one given. Permanent: a call would get too many accounts.
            Forbidden: another tenant's.
        """
        name = _field(tenant, scope, owner_id, body)
        for _ in range(COMMIT_RETRIES_MAX):
            read = await self._read(tenant, name)
            before = Limit.model_validate_json(read) if read else None
            _refuse_other_revision(before, body.revision)
            limit = await self._next(before, body)
            entries = (await self._store.reload(tenant)).limits.entries
            refuse_too_many(Limits(entries=entries | {name: limit}))
            if await self._swap(tenant, name, read, limit.stored()):
                return _shown(name, limit)
        raise Busy(f"the budget {name} is being changed by others")

    async def delete(self, tenant: str, scope: Scope, owner_id: str, body: BudgetBody) -> None:
        """Remove one limit; what was spent stays. A limit that is not there is none.

        Raises:
            Busy: its revision is not the one given.
        """
        name = _field(tenant, scope, owner_id, body)
        for _ in range(COMMIT_RETRIES_MAX):
            read = await self._read(tenant, name)
            before = Limit.model_validate_json(read) if read else None
            _refuse_other_revision(before, body.revision)
            if before is None or await self._swap(tenant, name, read, ""):
                return
        raise Busy(f"the budget {name} is being changed by others")

    async def get(self, tenant: str, scope: Scope, owner_id: str) -> dict[str, Any]:
        """Return every limit of an owner.

        Raises:
            NotFound: it has none.
        """
        owner = _owner(tenant, scope, owner_id)
        entries = (await self._store.reload(tenant)).limits.entries
        found = [_shown(name, x) for name, x in sorted(entries.items())
                 if name.rsplit("|", 2)[0] == owner]
        if not found:
            raise NotFound(f"{scope} {owner_id} has no budget")
        return {"scope": scope, "id": owner_id, "limits": found}

    async def every(self, tenant: str) -> dict[str, Any]:
        """Return all limits of a tenant with what is posted, held and free in the window of now."""
        known, now = await self._store.reload(tenant), await self._store.now()
        names = sorted(known.limits.entries)
        labels = [_account(name, known.windows) for name in names]
        with mapped():
            async with self._store.redis.pipeline(transaction=False) as pipe:
                for label in labels:
                    pipe.hgetall(keys.account(tenant, label))
                found: Any = await pipe.execute() if labels else []
        return {
            "tenant": tenant, "zone": known.limits.zone,
            "prices": known.limits.prices.label if known.limits.prices else None,
            "caps": [cap.name for cap in known.limits.caps],
            "budgets": [{**_named(name), **_shown(name, known.limits.entries[name]),
                         "account": label, **_balance(
                             account, name.rsplit("|", 1)[1], known.limits.entries[name],
                             _elapsed_s(name, now, known.limits.zone))}
                        for name, label, account in zip(names, labels, found, strict=True)]}

    async def usage(self, tenant: str, scope: Scope, owner_id: str, window: Window,
                    ) -> dict[str, Any]:
        """Return limit, policy, posted, held, free and burn rate of a window's account, by unit."""
        known = await self._store.reload(tenant)
        owner = _owner(tenant, scope, owner_id)
        name = f"{owner}|{known.windows.labels[window]}"
        with mapped():
            account: Any = await self._store.redis.hgetall(keys.account(tenant, name))
        now, zone = await self._store.now(), known.limits.zone
        within = bounds(window, now, zone)
        elapsed_s = now - within[0] if within else None
        units = {unit: _balance(account, unit, known.limits.entries.get(
            f"{owner}|{window}|{unit}"), elapsed_s) for unit in UNITS}
        return {
            "account": name, "units": units, "zone": zone,
            "window_ends": within[1] if within else None,
            "alerts": sorted(
                k.removeprefix("fired.") for k in account if k.startswith("fired."))}

    async def _next(self, before: Limit | None, body: BudgetBody) -> Limit:
        with mapped():
            seconds, _ = await self._store.redis.time()
        return Limit(
            limit=body.limit, thresholds=tuple(sorted(set(body.thresholds))), policy=body.policy,
            since=before.since if before else float(seconds),
            revision=before.revision + 1 if before else 1,
            origin=before.origin if before else "")

    async def _read(self, tenant: str, name: str) -> str:
        with mapped():
            found: Any = await self._store.redis.hget(keys.limits(tenant), name)
        return found or ""

    async def _swap(self, tenant: str, name: str, read: str, text: str) -> bool:
        done = await self._store.run_one(
            "budget", [keys.limits(tenant), keys.wake(tenant)], [name, read, text])
        await self._store.reload(tenant)
        return done


def _owner(tenant: str, scope: Scope, owner_id: str) -> str:
    if scope == "tenant" and owner_id != tenant:
        raise Forbidden(f"this key is tenant {tenant}'s, not {owner_id}'s")
    return f"{scope}|{quote(owner_id, SAFE)}"


def _field(tenant: str, scope: Scope, owner_id: str, body: BudgetBody) -> str:
    owner = _owner(tenant, scope, owner_id)
    return field(scope, owner.partition("|")[2], body.window, body.unit)


def _refuse_other_revision(before: Limit | None, wanted: int | None) -> None:
    current = before.revision if before else 0
    if wanted is not None and wanted != current:
        raise Busy(f"the budget is at revision {current}, not {wanted}", revision=current)


def _named(name: str) -> dict[str, str]:
    scope, owner, _, _ = name.split("|")
    return {"scope": scope, "id": unquote(owner)}


def _account(name: str, windows: Windows) -> str:
    owner, window, _ = name.rsplit("|", 2)
    return f"{owner}|{windows.labels[window]}"


def _elapsed_s(name: str, now: float, zone: str) -> float | None:
    within = bounds(name.rsplit("|", 2)[1], now, zone)
    return now - within[0] if within else None


def _shown(name: str, limit: Limit) -> dict[str, Any]:
    _, _, window, unit = name.split("|")
    return {"unit": unit, "window": window, **limit.model_dump(mode="json")}


def _balance(account: dict[str, str], unit: str, limit: Limit | None,
             elapsed_s: float | None) -> dict[str, Any]:
    """Return one unit's figures; the burn rate is what was posted per hour of the window so far."""
    held, posted, over, unreserved = (int(account.get(f"{unit}.{a}", 0)) for a in AMOUNTS)
    free = None if limit is None else max(limit.limit - held - posted, 0)
    blocked = limit is not None and f"{unit}:{limit.limit};" in account.get("blk", "")
    return {"limit": limit.limit if limit else None, "posted": posted, "held": held,
            "free": 0 if blocked else free, "overrun": over, "unreserved": unreserved,
            "blocked": blocked, "policy": limit.policy if limit else None,
            "per_hour": round(posted * HOUR_S / max(elapsed_s, 1)) if elapsed_s else None}
