"""Repeats what may succeed a moment later: for calls between functions."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
FIRST_WAIT_S = 0.05


async def retried(work: Callable[[], Awaitable[T]], on: type[Exception], *, attempts: int,
                  wait_max_s: float) -> T:
    """Return what `work` returns, after at most `attempts` tries; waits double, with jitter.

    Raises:
        The last error, if it is of type `on`; any other error at once.
    """
    try:
        return await work()
    except on:
        if attempts <= 1:
            raise
    from tenacity import (  # most calls succeed at once, and a cold start need not pay for it
        AsyncRetrying,
        retry_if_exception_type,
        stop_after_attempt,
        wait_exponential_jitter,
    )

    retrying = AsyncRetrying(
        stop=stop_after_attempt(attempts - 1), reraise=True, retry=retry_if_exception_type(on),
        wait=wait_exponential_jitter(multiplier=FIRST_WAIT_S, max=wait_max_s, jitter=FIRST_WAIT_S))
    async for attempt in retrying:
        with attempt:
            return await work()
    raise AssertionError("unreachable: the last error is raised again")
