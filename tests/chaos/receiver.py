"""Receives webhooks or events, and remembers each POST."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver:
    """A server; `posts` has (path, Idempotency-Key, body) of each POST, `headers` its headers."""

    def __init__(self, host="127.0.0.1"):
        self.host, self.posts, self.headers = host, [], []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
                receiver.headers.append(self.headers)
                receiver.posts.append((self.path, self.headers.get("Idempotency-Key"), body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer((host, 0), Handler)
        self._server.daemon_threads = True

    def url(self, name):
        """Return an address of its own for a test."""
        return f"http://{self.host}:{self._server.server_port}/{name}"

    def keys(self, name):
        """Return the idempotency keys of all POSTs to `url(name)`."""
        return [key for path, key, _ in self.posts if path == f"/{name}"]

    def __enter__(self):
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
