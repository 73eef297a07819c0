"""Kills its own process."""

import os
import signal

from functions.tools.declare import tool


@tool(version="1.0.0", idempotent=True, timeout_s=10)
async def crasher(word: str = "") -> str:
    """Kill the process that runs this."""
    os.kill(os.getpid(), signal.SIGKILL)
    return word
