"""A local receiver of webhooks, so that the demo can show that its one effect happened once."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

BODY_BYTES_MAX = 1 << 20


class Webhook:
    """Answers every POST with 204 and keeps its `Idempotency-Key`."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        """One per POST, in order; empty for a POST without a key."""

        received = self.keys

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # the name is the protocol's
                length = int(self.headers.get("Content-Length") or 0)
                self.rfile.read(min(length, BODY_BYTES_MAX))
                received.append(self.headers.get("Idempotency-Key") or "")
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing: the demo's output is its own."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        """Return where to post."""
        return f"http://127.0.0.1:{self._server.server_port}/hook"

    def __enter__(self) -> Self:
        """Serve in a thread."""
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
