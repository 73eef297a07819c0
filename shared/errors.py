"""Names every failure, and answers one question: would the same event succeed later?

```
TollgateError                 500  a bug: retried, dead letter, it pages
├── Permanent                 422  the same event fails again → dead letter
│   ├── Malformed             400
│   ├── Unauthorized          401  (HTTP API only)
│   ├── OverBudget            402  (HTTP API only)
│   ├── Forbidden             403  (HTTP API only)
│   ├── NotFound              404  (HTTP API only: a Broker retries a 404)
│   └── TooLarge              413  (HTTP API only)
└── Transient                 503  a later delivery may succeed → retried
    ├── Busy                  409
    └── Overloaded            429
```
"""

from typing import Any, ClassVar


class TollgateError(Exception):
    """A failure with an HTTP status and, in `extra`, members for its problem details (RFC 9457)."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra


class Permanent(TollgateError):
    """The same input fails again, whenever it comes."""

    status = 422
    title = "Not possible"


class Malformed(Permanent):
    """The input does not have the form it must have."""

    status = 400
    title = "Malformed"


class Unauthorized(Permanent):
    """No valid credential was given."""

    status = 401
    title = "Unauthorized"


class OverBudget(Permanent):
    """An account has no room for the amount; `extra` holds account, need, have, reason."""

    status = 402
    title = "Over budget"


class Forbidden(Permanent):
    """The credential is valid and lacks the right."""

    status = 403
    title = "Forbidden"


class NotFound(Permanent):
    """What was named does not exist."""

    status = 404
    title = "Not found"


class TooLarge(Permanent):
    """The body is above its limit."""

    status = 413
    title = "Too large"


class Transient(TollgateError):
    """A later delivery of the same input may succeed."""

    status = 503
    title = "Unavailable"


class Busy(Transient):
    """Another live process holds what is needed."""

    status = 409
    title = "Busy"


class Overloaded(Transient):
    """A rate or a queue is at its limit."""

    status = 429
    title = "Overloaded"
