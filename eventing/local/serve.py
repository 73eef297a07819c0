"""Serves one function in one process, as its image does: `python -m eventing.local.serve`.

The functions framework builds the application, uvicorn serves it on `PORT` or on a listening
socket that the parent hands over, so that requests wait in its backlog instead of being refused.
"""

import argparse
import gc
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from eventing import stopping

UNUSED = ("trio", "cryptography", "psutil", "opentelemetry.sdk.metrics")
"""Optional parts that libraries import wherever they find them; no function uses them, and on a
laptop, where tests have installed them, they would add some 130 ms to every cold start."""

COLLECTED_AFTER = (10_000, 20, 50)
"""Objects that a request leaves behind are freed as its last name goes; the collector looks for
cycles only, of which there are few, and looked after each second request with Python's own 700."""

KEEP_ALIVE_S = 75
"""Longer than any client of the runtime keeps an idle connection, so that none meets a close."""


def main() -> None:
    """Serve until SIGTERM; then finish what is running within the time-out."""
    # The kernel spares process 1 a signal that it does not handle; and uvicorn raises it again when
    # it is done: dying of it would lose the spans of the last seconds, which leave at exit.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    given = _arguments()
    import uvicorn  # takes a while, in which a container may already be told to end

    from eventing.local.gathering import Gathering

    class Server(uvicorn.Server):
        """Ends streams before it waits for its answers."""

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            stopping.stop()
            await super().shutdown(sockets)

    listeners = [socket.socket(fileno=fd) for fd in given.fd] or [_own()]
    config = uvicorn.Config(
        application(given.target, given.source),
        loop="uvloop", http=Gathering, ws="none",
        log_config=None, access_log=False, server_header=False, date_header=False,
        timeout_keep_alive=KEEP_ALIVE_S, timeout_graceful_shutdown=given.timeout_s,
    )
    Server(config).run(sockets=listeners)


def application(target: str, source: str) -> Any:
    """Build the application, with the unused parts of libraries out of sight meanwhile."""
    from functions_framework.aio import create_asgi_app

    sys.modules.update(dict.fromkeys(UNUSED))  # type: ignore[arg-type]
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # or it reads every package's
    gc.disable()  # imports make no garbage, only much to look through
    try:
        framed = create_asgi_app(target, source)  # type: ignore[no-untyped-call]
        return _direct(framed, getattr(sys.modules[Path(source).stem], target))
    finally:
        gc.freeze()
        gc.set_threshold(*COLLECTED_AFTER)
        gc.enable()
        for name in UNUSED:
            sys.modules.pop(name, None)


def _direct(framed: Any, function: Any) -> Any:
    """Return an application that calls the function without the framework's layers around it.

    The framework loads the function and routes every path and method to it. One that the adapter
    made routes, answers every failure and logs by itself: five layers of middleware and two of
    routing would take a fifth of a call's time for nothing. Any other keeps them.
    """
    if function.__module__ != "eventing.adapter":
        return framed
    from starlette.requests import Request

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            answer = await function(Request(scope, receive, send))
            await answer(scope, receive, send)
        else:
            await framed(scope, receive, send)

    return application


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m eventing.local.serve")
    source = os.environ.get("FUNCTION_SOURCE")
    parser.add_argument("--source", default=source, required=source is None)
    parser.add_argument("--target", default="handle")
    parser.add_argument("--fd", type=int, nargs="*", default=[], help="inherited sockets")
    parser.add_argument("--timeout-s", type=int, default=300)
    return parser.parse_args()


def _own() -> socket.socket:
    port = int(os.environ.get("PORT", "8080"))
    listener = socket.create_server(("0.0.0.0", port))  # noqa: S104 - a container's port
    listener.setblocking(False)
    return listener


if __name__ == "__main__":
    main()
