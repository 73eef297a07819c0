"""A stand-in for an agent, with the standard library alone: one request is one finished task.

It says what an agent and the ledger say of a task, with its own revision; the first revision's
tasks cost 1 000 nano-USD and a little, later ones as much as `DEARER` times that.
"""

import json
import os
import signal
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

REVISION = os.environ["K_REVISION"]
FACTOR = 1.0 if REVISION.endswith("-00001") else float(os.environ["DEARER"])


def publish(kind, source, data, **extensions):
    headers = {"ce-specversion": "1.0", "ce-id": str(uuid4()), "ce-type": kind,
               "ce-source": source, "content-type": "application/json",
               **{f"ce-{name}": value for name, value in extensions.items()}}
    request = urllib.request.Request(
        os.environ["BROKER_URL"], json.dumps(data).encode(), headers)
    urllib.request.urlopen(request, timeout=30).close()


def work():
    task, nano = str(uuid4()), round(FACTOR * 1000 + ord(os.urandom(1)))
    dims = {"tenant": "acme", "agent": "thinker", "agent_version": "1", "session": task,
            "task": task, "root": task, "env": "test"}
    publish("dev.tollgate.ledger.attributed.v1", "/ledger/acme", {
        "outcome": "settled", "usage_basis": "provider", "dims": dims,
        "invocation": {"id": str(uuid4()), "kind": "llm", "step": 1, "attempt": 1,
                       "trigger": {"source": "/gateway", "id": "1"}, "revision": REVISION},
        "usage": {"input_total": 1, "output_total": 1, "classes": {}},
        "cost": {"total_nano": nano, "reserved_nano": nano, "overrun_nano": 0,
                 "rounding_nano": "0", "lines": [], "price_version": "1"},
        "ledger": {"seq": 1, "epoch": "e"}})
    publish("dev.tollgate.task.completed.v1", "/thinker", {"result": {
        "task_id": task, "status": "completed", "cost_usd": f"{nano / 10**9:.9f}",
        "duration_ms": 900 + ord(os.urandom(1))}}, agent="thinker", revision=REVISION)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/work":
            work()
        self.send_response(200)
        self.send_header("content-length", str(len(REVISION)))
        self.end_headers()
        self.wfile.write(REVISION.encode())

    def log_message(self, *_):
        pass


signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
ThreadingHTTPServer(("", 8080), Handler).serve_forever()
