"""Says who may do what: signed grants on events, hashed API keys on HTTP requests.

The broker's ingress is not authenticated, so tenant, ancestors and limits are taken from the
grant alone (JWS compact serialization, RFC 7515, HS256).
"""

import hashlib
import json
import secrets
from pathlib import Path
from typing import Annotated, Any, Literal

import jwt
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
)

from shared.errors import Forbidden, TollgateError, Unauthorized
from shared.limits import ANCESTORS_MAX, GRANT_KEY_CHARS_MIN, GRANT_KEYS_MAX

Right = Literal["tasks", "events", "budgets", "costs", "admin", "platform"]
"""What a key may do: `admin` everything of its tenant, `platform` also what concerns others."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TaskLimits(_Frozen):
    """What a task may use in all: `usd` in nano-USD, `tok` in billable tokens."""

    task: str
    usd: int = Field(ge=0)
    tok: int = Field(ge=0)


class Grant(_Frozen):
    """What the host that accepted a task lets it do, on whose account, until when."""

    tenant: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    agent: str
    session: str
    root: str
    limits: TaskLimits
    """The task's own."""
    ancestors: tuple[TaskLimits, ...] = Field(default=(), max_length=ANCESTORS_MAX)
    """Nearest first."""
    exp: int
    """Seconds since the epoch. Tested when a task is accepted and when money is reserved."""

    @property
    def task(self) -> str:
        """Return the id of the task the grant is for."""
        return self.limits.task


def _ring(keys: SecretStr) -> SecretStr:
    each = _each(keys)
    if len(each) > GRANT_KEYS_MAX or min(map(len, each)) < GRANT_KEY_CHARS_MIN:
        raise ValueError(f"give 1 to {GRANT_KEYS_MAX} keys with commas between them, "
                         f"each of {GRANT_KEY_CHARS_MIN} characters or more")
    return keys


GrantKeys = Annotated[SecretStr, AfterValidator(_ring)]
"""Keys with commas between them: the first signs, each verifies. So a key is changed while
functions run: `old,new` everywhere, then `new,old`, then `new` when no old grant is alive."""


def sign(grant: Grant, keys: SecretStr) -> str:
    """Return the grant as a compact JWS, signed with the first key."""
    return jwt.encode(grant.model_dump(mode="json"), _each(keys)[0], algorithm="HS256")


def verify(token: str | None, keys: SecretStr, *, fresh_at: float | None = None) -> Grant:
    """Return the grant if a key of ours signed it; expiry is tested only against `fresh_at`.

    Raises:
        Unauthorized: no grant, a forged or malformed one, or one that is over at `fresh_at`.
    """
    if not token:
        raise Unauthorized("no grant: events enter through the gateway's POST /events")
    try:
        grant = Grant.model_validate(_claims(token, _each(keys)))
    except (jwt.InvalidTokenError, ValidationError) as error:
        raise Unauthorized(f"the grant is not valid: {type(error).__name__}") from error
    if fresh_at is not None and grant.exp < fresh_at:
        raise Unauthorized(f"the grant expired at {grant.exp}: submit the task again")
    return grant


def _claims(token: str, keys: list[str]) -> dict[str, Any]:
    try:
        return jwt.decode(token, keys[0], algorithms=["HS256"], options={"verify_exp": False})
    except jwt.InvalidSignatureError:
        if not keys[1:]:
            raise
        return _claims(token, keys[1:])


def _each(keys: SecretStr) -> list[str]:
    return keys.get_secret_value().split(",")


class ApiKey(_Frozen):
    """One credential: only the hash of the key is stored."""

    key_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    tenant: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    rights: frozenset[Right]
    name: str = ""


class Caller(_Frozen):
    """Who makes an HTTP request, as its credential says."""

    tenant: str
    rights: frozenset[Right]

    def allow(self, right: Right) -> None:
        """Return if the caller has the right.

        Raises:
            Forbidden: it has not.
        """
        included = right != "platform" and "admin" in self.rights
        if right not in self.rights and not included:
            raise Forbidden(f"this key lacks the right {right!r}", right=right)


class ApiKeys:
    """The API-key file: a JSON list of keys, read once."""

    def __init__(self, keys: tuple[ApiKey, ...]) -> None:
        self._by_hash = {key.key_sha256: key for key in keys}

    @classmethod
    def read(cls, path: Path) -> "ApiKeys":
        """Read the file.

        Raises:
            TollgateError: the file is missing or is not a list of keys; the message says where.
        """
        try:
            entries = json.loads(path.read_text())
            return cls(tuple(ApiKey.model_validate(entry) for entry in entries))
        except (OSError, ValueError) as error:
            raise TollgateError(f"API-key file {path}: {error}") from error

    def caller(self, authorization: str | None) -> Caller:
        """Return who sent `Authorization: Bearer <key>`.

        Raises:
            Unauthorized: no key or an unknown one.
        """
        scheme, _, key = (authorization or "").partition(" ")
        found = self._by_hash.get(hash_key(key.strip()))
        if scheme.lower() != "bearer" or found is None:
            raise Unauthorized("send Authorization: Bearer <API key>; this one is unknown"
                               if key else "send Authorization: Bearer <API key>")
        return Caller(tenant=found.tenant, rights=found.rights)


def hash_key(key: str) -> str:
    """Return the SHA-256 of an API key: keys are random, so no salt or stretching is needed."""
    return hashlib.sha256(key.encode()).hexdigest()


def new_key() -> str:
    """Return a new random API key (256 bits)."""
    return "tg_" + secrets.token_urlsafe(32)
