"""The routes of the kill switch: by an API key with the right `platform`; any key may look."""

import re
from typing import cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from eventing.adapter import body_of
from functions.ledger.parts import Parts
from functions.ledger.stops import KINDS, Stop, StopBody, StopKind
from shared.errors import Permanent

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z")


def stop_routes(parts: Parts) -> list[Route]:
    """Return the routes of stops."""
    of = _Stopping(parts)
    one = "/v1/stops/{kind}/{name}"
    return [Route("/v1/stops", of.every, methods=["GET"]),
            Route(one, of.place, methods=["PUT"]), Route(one, of.lift, methods=["DELETE"])]


class _Stopping:
    """What is stopped, and why."""

    def __init__(self, parts: Parts) -> None:
        self._of = parts

    async def every(self, request: Request) -> Response:
        """`GET /v1/stops`: what concerns the caller; other tenants' only for `platform`."""
        caller = self._of.door.caller(request, None)
        return JSONResponse({"stops": [
            stop.model_dump() for stop in await self._of.switch.every()
            if stop.kind != "tenant" or stop.name == caller.tenant or "platform" in caller.rights]})

    async def place(self, request: Request) -> Response:
        """`PUT /v1/stops/{kind}/{name}`: no reserve after the answer succeeds."""
        self._of.door.caller(request, "platform")
        body = StopBody.model_validate_json(await body_of(request) or b"{}")
        return _answer(await self._of.switch.place(*_target(request), body))

    async def lift(self, request: Request) -> Response:
        """`DELETE /v1/stops/{kind}/{name}`: it may spend again."""
        self._of.door.caller(request, "platform")
        return _answer(await self._of.switch.lift(*_target(request)))


def _answer(stop: Stop) -> Response:
    return JSONResponse(stop.model_dump())


def _target(request: Request) -> tuple[StopKind, str]:
    kind, name = request.path_params["kind"], request.path_params["name"]
    if kind not in KINDS:
        raise Permanent(f"kind {kind!r}: one of {', '.join(KINDS)}")
    if not NAME.match(name) or (kind == "all" and name != "all"):
        raise Permanent(f"name {name!r}: letters, digits, dot, dash; the only name of all is all")
    return cast("StopKind", kind), name
