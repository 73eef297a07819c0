"""Changes the world in a way that must not happen twice, and dies before it can say so."""

import os
import signal

from functions.tools.declare import tool


@tool(version="1.0.0", idempotent=False, changes_world=True, timeout_s=10)
async def once(file: str) -> str:
    """Append a line to a file and kill the process."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(descriptor, b"done\n")
    os.close(descriptor)
    os.kill(os.getpid(), signal.SIGKILL)
    return file
