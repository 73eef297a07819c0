"""The admin address: status and recent events as JSON, a page that shows both."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from aiohttp import web

from eventing.local.disturbance import Disturbance, Drop
from eventing.local.journal import Journal
from eventing.local.page import page

Status = Callable[[], dict[str, Any]]


class Admin:
    """Read-only, but for `POST /disturb`, which is there only if a test asked for it."""

    def __init__(self, status: Status, journal: Journal, disturbance: Disturbance | None) -> None:
        self._status, self._journal, self._disturbance = status, journal, disturbance

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        match request.method, request.path:
            case "GET", "/":
                html = page(self._status(), self._journal.after(0))
                return web.Response(text=html, content_type="text/html")
            case "GET", "/status":
                return _json(self._status())
            case "GET", "/events":
                return self._events(request)
            case "POST", "/disturb" if self._disturbance is not None:
                return await self._disturb(request, self._disturbance)
            case _:
                return web.Response(status=404, text="there are /, /status and /events")

    def _events(self, request: web.BaseRequest) -> web.Response:
        after = request.rel_url.query.get("after", "0")
        if not after.isdecimal():
            return web.Response(status=400, text=f"after={after!r} is not a whole number")
        return _json({"events": self._journal.after(int(after))})

    async def _disturb(self, request: web.BaseRequest, current: Disturbance) -> web.Response:
        try:
            asked = json.loads(await request.read())
            drop = asked.get("drop")
            current.drop = Drop(**drop) if drop else None
            current.twice = bool(asked.get("twice", False))
            current.shuffle_s = float(asked.get("shuffle_s", 0.0))
        except (ValueError, TypeError, AttributeError) as error:
            return web.Response(status=400, text=f"not a disturbance: {error}")
        return _json({"drop": asdict(current.drop) if current.drop else None,
                      "twice": current.twice, "shuffle_s": current.shuffle_s})


def _json(value: Any) -> web.Response:
    return web.Response(text=json.dumps(value), content_type="application/json")
