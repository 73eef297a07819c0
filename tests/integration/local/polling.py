"""Waits for facts, with a bound."""

import asyncio
import time
from pathlib import Path

TIMEOUT_S = 60.0


async def until(holds):
    async with asyncio.timeout(TIMEOUT_S):
        while not holds():
            await asyncio.sleep(0.01)


def until_sync(holds):
    deadline = time.monotonic() + TIMEOUT_S
    while not holds():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.01)


def lives(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def lines(file):
    return file.read_text().split() if file.exists() else []
