"""Tells answers that would go on for minutes that the process is to stop, so that they end.

A server that stops waits for its answers. Streams never end by themselves before their time is
over, and whoever listens to one connects again anyway: to the next process, from where it was.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_wakes: list[Callable[[], object]] = []
_told: list[bool] = []


def stop() -> None:
    """Say that the process stops; again is allowed. Called by the server, on its event loop."""
    _told.append(True)
    for wake in _wakes:
        wake()


def is_stopping() -> bool:
    """Tell whether the process was asked to stop: an answer that could go on ends here."""
    return bool(_told)


@contextmanager
def woken(wake: Callable[[], object]) -> Iterator[None]:
    """Have `wake` called when the process is asked to stop, while the block runs."""
    _wakes.append(wake)
    try:
        yield
    finally:
        _wakes.remove(wake)


async def pause(delay_s: float) -> None:
    """Return after the delay, or as soon as the process is asked to stop."""
    stopped = asyncio.Event()
    with woken(stopped.set), suppress(TimeoutError):
        if not is_stopping():
            await asyncio.wait_for(stopped.wait(), delay_s)
