"""A tool whose processes die at every delivery, before the host can write anything down."""

from functions.tools.declare import tool


@tool(version="1.0.0", idempotent=True, timeout_s=10)
def dying(word: str = "") -> str:
    """Return the word; nobody ever gets it."""
    return word
