"""Takes its time."""

import asyncio

from functions.tools.declare import tool


@tool(version="1.0.0", idempotent=True, timeout_s=100)
async def sleeper(seconds: float) -> str:
    """Come back after so many seconds."""
    await asyncio.sleep(seconds)
    return "rested"
