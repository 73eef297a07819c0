"""Reads the charges of a span some at a time: memory stays flat, and others get their turn."""

from collections.abc import AsyncIterator

from functions.costs.export.focus import MONTH_CHARS, Charges, Row
from functions.costs.questions.ranges import Span
from functions.costs.store.spans import of_day
from functions.costs.store.store import CostStore
from functions.costs.turns import in_turns

CHARGES_AT_ONCE = 5_000
"""Different ones, some 10 MiB. Tags that differ with every call make as many as events."""

ROWS_AT_ONCE = 100
"""Rows made before others get their turn: some 5 ms."""


async def charges_of(store: CostStore, tenant: str, span: Span) -> AsyncIterator[Charges]:
    """Yield the charges of a span, of one day each.

    A day with very many different ones comes in parts: what is equal may be in several of them, and
    all parts add up to the same.
    """
    for day in filter(span.touches, await store.days(tenant)):
        month = day[:MONTH_CHARS]
        charges = Charges(tenant, month)
        async for event in of_day(store, tenant, day, span):
            charges.add(event)
            if len(charges) >= CHARGES_AT_ONCE:
                yield charges
                charges = Charges(tenant, month)
        yield charges


def rows_of(charges: Charges) -> AsyncIterator[list[Row]]:
    """Yield the rows of charges, some at a time."""
    return in_turns(charges.rows(), ROWS_AT_ONCE)
