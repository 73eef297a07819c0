"""Lets others have their turn while something long is done: a process has one thread for all."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

EVENTS_AT_ONCE = 25
"""Events that are read before others get their turn: some 2 ms."""


async def in_turns(things: Iterable[T], at_once: int) -> AsyncIterator[list[T]]:
    """Yield things in lists of so many; whoever waits gets a turn after each."""
    left = iter(things)
    while part := list(islice(left, at_once)):
        yield part
        await asyncio.sleep(0)
