"""Tells the time, as a parameter, so that decisions can be tested without waiting."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], float]
"""Returns seconds since the Unix epoch."""


def now_s() -> float:
    """Return the wall clock in seconds since the Unix epoch."""
    return time.time()


def utc(seconds: float) -> datetime:
    """Return the aware UTC datetime of `seconds` since the Unix epoch."""
    return datetime.fromtimestamp(seconds, UTC)


def rfc3339(seconds: float) -> str:
    """Return `seconds` since the Unix epoch as RFC 3339 in UTC with milliseconds and a `Z`."""
    return utc(seconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")
