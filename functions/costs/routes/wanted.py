"""Ends what takes long when nobody waits for it any more."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

GONE = 499
"""What servers log for a caller who left; nobody gets it."""


async def while_wanted(request: Request, work: Coroutine[Any, Any, Response]) -> Response:
    """Return the answer that the work comes to; end the work when its caller has gone."""
    working, leaving = asyncio.create_task(work), asyncio.create_task(_left(request))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else Response(status_code=GONE)
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
