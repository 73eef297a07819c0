"""Answers more than anybody wants to read."""

from functions.tools.declare import tool


@tool(version="1.0.0", idempotent=True, timeout_s=30)
def flood(megabytes: float) -> str:
    """Return so many megabytes of text."""
    return "x" * int(megabytes * 1024 * 1024)
