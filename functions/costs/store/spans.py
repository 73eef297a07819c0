"""Reads every event of a span, wherever it is kept, and lets others have their turn meanwhile."""

import asyncio
from collections.abc import AsyncIterator

from eventing.event import Event
from functions.costs.events.facts import at_ms
from functions.costs.questions.ranges import Span, hours_of
from functions.costs.store.store import CostStore
from functions.costs.turns import EVENTS_AT_ONCE


async def between(store: CostStore, tenant: str, span: Span) -> AsyncIterator[Event]:
    """Yield a tenant's events of a span, hour by hour, each once."""
    for day in await store.days(tenant):
        async for event in of_day(store, tenant, day, span):
            yield event


async def of_day(store: CostStore, tenant: str, day: str, span: Span) -> AsyncIterator[Event]:
    """Yield the events of one UTC day that lie in the span."""
    if not span.touches(day):
        return
    read = 0
    for hour in filter(span.touches_hour, hours_of(day)):
        whole = span.covers_hour(hour)
        async for event in store.of_hour(tenant, hour):
            if whole or span.holds(at_ms(event)):
                yield event
            read += 1
            if read % EVENTS_AT_ONCE == 0:
                await asyncio.sleep(0)
