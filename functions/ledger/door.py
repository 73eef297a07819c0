"""Tells who asks the ledger."""

from pydantic import SecretStr
from starlette.requests import Request

from shared.auth import ApiKeys, Caller, Grant, Right, verify
from shared.clock import Clock, now_s
from shared.errors import Unauthorized
from shared.metering.client import GRANT_HEADER

GRANTS_MAX = 1024
"""Verified grants remembered; a task's calls all bring the same one."""


class Door:
    """Tells who asks: a grant spends, an API key reads and sets."""

    def __init__(self, key: SecretStr, api_keys: ApiKeys, clock: Clock = now_s) -> None:
        self._key, self._api_keys, self._clock = key, api_keys, clock
        self._known: dict[str, Grant] = {}

    def grant(self, request: Request, *, fresh: bool = False, body: str | None = None) -> Grant:
        """Return the grant of the request; its expiry counts only where money is reserved.

        Raises:
            Unauthorized: none, forged, or (`fresh`) over.
        """
        token = request.headers.get(GRANT_HEADER) or body or ""
        grant = self._known.get(token)
        if grant is None:
            grant = verify(token, self._key)
            if len(self._known) >= GRANTS_MAX:
                self._known.clear()
            self._known[token] = grant
        if fresh and grant.exp < self._clock():
            raise Unauthorized(f"the grant expired at {grant.exp}: submit the task again")
        return grant

    def keyed(self, request: Request, right: Right) -> str:
        """Return the tenant of the request's API key.

        Raises:
            Unauthorized: no key or an unknown one. Forbidden: it lacks the right.
        """
        return self.caller(request, right).tenant

    def caller(self, request: Request, right: Right | None) -> Caller:
        """Return who sent the request's API key; without a `right` whoever it is.

        Raises:
            Unauthorized: no key or an unknown one. Forbidden: it lacks the right.
        """
        caller = self._api_keys.caller(request.headers.get("authorization"))
        if right is not None:
            caller.allow(right)
        return caller

    def reader(self, request: Request) -> str:
        """Return the tenant of the request's grant, or of its API key with the right `costs`."""
        if GRANT_HEADER in request.headers:
            return self.grant(request).tenant
        return self.keyed(request, "costs")
