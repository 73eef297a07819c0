"""Lets callers in: API clients by their header, browsers by a cookie that scripts cannot read."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from functions.costs.events.facts import is_tenant
from shared.auth import ApiKeys, Caller
from shared.errors import Forbidden, Permanent

EVERY_TENANT = "*"
"""What asks for all tenants at once, by a key with the right `platform`."""

COOKIE = "tollgate_key"
COOKIE_AGE_S = 12 * 3600
"""A working day; the key itself stays valid."""


@dataclass
class Door:
    """Checks keys against the API-key file, which is read when the first caller comes."""

    path: Path

    @cached_property
    def keys(self) -> ApiKeys:
        """Return the keys; most deliveries are events and never need them."""
        return ApiKeys.read(self.path)

    def client(self, request: Request, *, or_all: bool = False) -> Caller:
        """Return the caller of the API, with the tenant whose costs it reads.

        Where all may be asked for at once, that is `EVERY_TENANT`.

        Raises:
            Unauthorized: no key or an unknown one.
            Forbidden: the key lacks the right, or `tenant=` names another tenant and the key
                has not the right `platform`.
            Permanent: (422) `tenant=` is no tenant's name.
        """
        return self._entitled(request, request.headers.get("authorization"), or_all=or_all)

    def visitor(self, request: Request) -> Caller:
        """Return the caller of a page, by header or cookie.

        Raises:
            Unauthorized, Forbidden, Permanent: as `client`.
        """
        return self._entitled(request, self.key_of(request))

    def key_of(self, request: Request) -> str:
        """Return the caller's credential as a header, to ask the ledger with."""
        given = request.headers.get("authorization")
        return given or f"Bearer {request.cookies.get(COOKIE, '')}"

    def admits(self, key: str) -> None:
        """Return if the key may read costs.

        Raises:
            Unauthorized, Forbidden: it may not.
        """
        self.keys.caller(f"Bearer {key}").allow("costs")

    def _entitled(self, request: Request, authorization: str | None, *,
                  or_all: bool = False) -> Caller:
        caller = self.keys.caller(authorization)
        caller.allow("costs")
        asked = request.query_params.get("tenant", caller.tenant)
        if asked != caller.tenant and "platform" not in caller.rights:
            raise Forbidden(f"this key reads the costs of tenant {caller.tenant} only",
                            tenant=caller.tenant)
        if not is_tenant(asked) and not (or_all and asked == EVERY_TENANT):
            raise Permanent(f"tenant: {asked[:80]!r} is no tenant's name")
        return Caller(tenant=asked, rights=caller.rights)


def remember(response: Response, key: str, *, secure: bool) -> Response:
    """Put the key into the browser's cookie jar, out of reach of scripts and of other sites."""
    response.set_cookie(COOKIE, key, max_age=COOKIE_AGE_S, httponly=True, samesite="strict",
                        secure=secure, path="/")
    return response


def forget(response: Response) -> Response:
    """Take the key out of the browser's cookie jar."""
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return response
