"""Proves that nothing is missing, and asks the ledger for what is."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from eventing.event import checked
from functions.costs.events.sequence import RANGES_SHOWN_MAX, Check, Range
from functions.costs.store.store import CostStore, Stored
from functions.costs.trust.ledger import LedgerEvents

PAGES_MAX = 50
"""Asked for by one request at most, so that it stays below the Service's time: ask again for more.
"""

PAGE_MAX = 200
"""Numbers asked for at once."""


async def report(store: CostStore, tenant: str) -> dict[str, Any]:
    """Return the gap check of a tenant over all its epochs."""
    counts = await store.counts(tenant)  # first: every event that it counts is among the checked
    checks = await store.checks(tenant)
    missing = sum(check.missing_count for check in checks)
    return {
        "tenant": tenant, "gapless": missing == 0 and counts["conflicts"] == 0,
        "events": counts["events"], "missing_count": missing,
        "duplicates": sum(_duplicates(counts, check) for check in checks),
        "conflicts": counts["conflicts"], "conflicting": await store.conflicts(tenant),
        "epochs": [_epoch(check, _duplicates(counts, check)) for check in checks],
    }


def _duplicates(counts: dict[str, int], check: Check) -> int:
    return counts.get(f"duplicates:{check.epoch}", 0)


def _epoch(check: Check, duplicates: int) -> dict[str, Any]:
    shown = check.missing[:RANGES_SHOWN_MAX]
    return {"epoch": check.epoch, "first": check.first, "last": check.last, "count": check.count,
            "duplicates": duplicates, "missing_count": check.missing_count,
            "missing": [{"first": hole.first, "last": hole.last} for hole in shown],
            "missing_ranges": len(check.missing)}


async def fill(store: CostStore, ledger: LedgerEvents, tenant: str,
               authorization: str) -> dict[str, Any]:
    """Store what the ledger has and this store lacks; return the check after it and `filled`.

    Safe to call at any time and at once: events that come twice are stored once.

    Raises:
        Transient: the ledger is away; what came is stored.
        Unauthorized, Forbidden: the ledger does not let this caller read events.
    """
    pages = await _pages(store, ledger, tenant, authorization)
    filled = 0
    for epoch, page in islice(pages, PAGES_MAX):
        for event in await ledger.between(epoch, page, authorization):
            _, outcome = await store.store(checked(event))
            filled += outcome is not Stored.DUPLICATE
    return {"filled": filled, **await report(store, tenant)}


async def _pages(store: CostStore, ledger: LedgerEvents, tenant: str,
                 authorization: str) -> Iterator[tuple[str, Range]]:
    checks = {check.epoch: check for check in await store.checks(tenant)}
    epoch, whole = await ledger.whole(authorization)
    seen = checks.get(epoch)
    tail = Range((seen.last if seen else 0) + 1, whole.last)
    holes = [(check.epoch, hole) for check in checks.values() for hole in check.missing]
    return ((name, page) for name, hole in [*holes, (epoch, tail)] for page in pages_of(hole))


def pages_of(hole: Range) -> Iterator[Range]:
    """Cut a hole into ranges of at most `PAGE_MAX` numbers; none if it is empty."""
    for first in range(hole.first, hole.last + 1, PAGE_MAX):
        yield Range(first, min(first + PAGE_MAX - 1, hole.last))
