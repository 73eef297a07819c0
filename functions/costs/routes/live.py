"""Says when a tenant's costs change, as server-sent events: pages ask for themselves again."""

import json
import logging
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from eventing import stopping
from functions.costs.questions.dimensions import usd_text
from functions.costs.questions.rows import Sums
from functions.costs.routes.door import Door
from functions.costs.store.store import CostStore
from shared.errors import Transient
from shared.limits import STREAM_HEARTBEAT_S

log = logging.getLogger(__name__)
LIVE_MAX_S = 60.0
"""A stream ends before the Service's time is over; browsers connect again by themselves."""

LIVE_EVERY_S = 1.0
RETRY_MS = 1000
"""What a browser waits before it connects again."""


class Live:
    """The route that pages listen to."""

    def __init__(self, store: CostStore, door: Door) -> None:
        self._store = store
        self._door = door

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [Route("/v1/live", self.live, methods=["GET"])]

    async def live(self, request: Request) -> Response:
        """`GET /v1/live`: server-sent events `changed`, at most one a second; the first at once.

        Each holds all there is to say, so whoever connects again has missed nothing.
        """
        tenant = self._door.visitor(request).tenant
        return StreamingResponse(self._told(tenant), media_type="text/event-stream",
                                 headers={"cache-control": "no-store"})

    async def _told(self, tenant: str) -> AsyncIterator[str]:
        """Yield what `_changes` does; a store that is away ends it, and browsers connect again."""
        try:
            async for message in self._changes(tenant):
                yield message
        except Transient as error:
            log.warning("a live stream ends: %s", error.detail)

    async def _changes(self, tenant: str) -> AsyncIterator[str]:
        ends, seen, beat = time.monotonic() + LIVE_MAX_S, -1, time.monotonic()
        yield f"retry: {RETRY_MS}\n\n"
        while time.monotonic() < ends and not stopping.is_stopping():
            events = (await self._store.counts(tenant))["events"]
            if events != seen:
                seen, beat = events, time.monotonic()
                yield f"event: changed\ndata: {json.dumps(await self._state(tenant, events))}\n\n"
            elif time.monotonic() - beat > STREAM_HEARTBEAT_S:
                beat = time.monotonic()
                yield ": heartbeat\n\n"
            await stopping.pause(LIVE_EVERY_S)

    async def _state(self, tenant: str, events: int) -> dict[str, Any]:
        spent = sum((sums for sums in (await self._store.totals(tenant)).values()), Sums())
        return {"events": events, "total_nano": spent.cost_nano,
                "total_usd": usd_text(spent.cost_nano),
                "at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")}
