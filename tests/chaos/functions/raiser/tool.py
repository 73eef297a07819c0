"""Has a bug."""

from functions.tools.declare import tool


@tool(version="1.0.0", idempotent=True, timeout_s=10)
def raiser(word: str = "") -> str:
    """Raise what nobody expects."""
    raise ZeroDivisionError(f"a bug: {word}")
