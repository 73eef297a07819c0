"""Serves one function in one process, as its image does: `python -m eventing.local.serve`.

The functions framework builds the application, uvicorn serves it on `PORT` or on a listening
socket that the parent hands over, so that requests wait in its backlog instead of being refused.
"""

import argparse
import os
import socket
import sys

import uvicorn
from functions_framework.aio import create_asgi_app

UNUSED = ("httpx._main", "trio", "cryptography", "psutil", "opentelemetry.sdk.metrics")
"""Optional parts that libraries import wherever they find them; no function uses them, and on a
laptop, where tests have installed them, they would add some 130 ms to every cold start."""

KEEP_ALIVE_S = 75
"""Longer than any client of the runtime keeps an idle connection, so that none meets a close."""


def main() -> None:
    """Serve until SIGTERM; then finish what is running within the time-out."""
    given = _arguments()
    sys.modules.update(dict.fromkeys(UNUSED))  # type: ignore[arg-type]
    listener = _listener(given.fd)
    config = uvicorn.Config(
        create_asgi_app(given.target, given.source),  # type: ignore[no-untyped-call]
        loop="uvloop", http="httptools", ws="none",
        log_config=None, access_log=False, server_header=False, date_header=False,
        timeout_keep_alive=KEEP_ALIVE_S, timeout_graceful_shutdown=given.timeout_s,
    )
    uvicorn.Server(config).run(sockets=[listener])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m eventing.local.serve")
    parser.add_argument("--source", required=True)
    parser.add_argument("--target", default="handle")
    parser.add_argument("--fd", type=int, help="inherited listening socket")
    parser.add_argument("--timeout-s", type=int, default=300)
    return parser.parse_args()


def _listener(descriptor: int | None) -> socket.socket:
    if descriptor is not None:
        return socket.socket(fileno=descriptor)
    listener = socket.create_server(("0.0.0.0", int(os.environ.get("PORT", "8080"))))  # noqa: S104 - a container's port
    listener.setblocking(False)
    return listener


if __name__ == "__main__":
    main()
