"""Does the same with many things, some of them at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


async def at_once(most: int, work: Callable[[T], Awaitable[R]], things: Iterable[T]) -> list[R]:
    """Return what `work` returns of each thing, in order; at most `most` are under way at a time.

    Raises:
        The first error of `work`.
    """
    every = list(things)
    left = iter(enumerate(every))
    found: dict[int, R] = {}

    async def go_on() -> None:
        for n, thing in left:
            found[n] = await work(thing)

    await asyncio.gather(*(go_on() for _ in range(min(most, len(every)))))
    return [found[n] for n in range(len(every))]
