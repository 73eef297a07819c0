"""Never comes back."""

import threading

from functions.tools.declare import tool


@tool(version="1.0.0", idempotent=True, timeout_s=1)
def hanger(word: str = "") -> str:
    """Wait for ever, in a thread that nothing can stop."""
    threading.Event().wait()
    return word
