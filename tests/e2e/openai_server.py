"""A loopback server that speaks like OpenAI, well or badly."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

GOOD = "good"


def chunk(model, delta, finish=None):
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "model": model, "choices": [choice]}


class Handler(BaseHTTPRequestHandler):
    """Answers one request as `server.openai` plays."""

    def do_GET(self):
        self.say(200, b'{"object": "list", "data": []}', "application/json")

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length))
        self.server.openai.asked.append(body)
        plays = self.server.openai.plays
        play = plays.pop(0) if len(plays) > 1 else plays[0]
        getattr(self, f"play_{play}")(body["model"])

    def play_good(self, model, answered_by=None):
        model = answered_by or model
        self.stream(chunk(model, {"content": "A fine "}),
                    chunk(model, {"content": "answer."}, "stop"),
                    {"model": model, "choices": [], "usage": {
                        "prompt_tokens": 100, "completion_tokens": 10,
                        "total_tokens": 110}})

    def play_other_model(self, _):
        self.play_good(None, "gpt-4o")

    def play_unknown_model(self, _):
        self.play_good(None, "a-model-nobody-has-priced")

    def play_busy(self, _):
        self.say(429, b'{"error": {"message": "slow down"}}', "application/json")

    def play_error(self, _):
        self.say(500, b'{"error": {"message": "oh no"}}', "application/json")

    def play_garbage(self, _):
        self.say(200, b"data: <html>not a chunk</html>\n\n", "text/event-stream")

    def play_half(self, model):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.line(chunk(model, {"content": "A fi"}))

    def stream(self, *chunks):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for each in chunks:
            self.line(each)
        self.wfile.write(b"data: [DONE]\n\n")

    def line(self, value):
        self.wfile.write(b"data: " + json.dumps(value).encode() + b"\n\n")

    def say(self, status, body, kind):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class OpenAIServer:
    """`plays` are the manners of the next answers, the last one for all later ones."""

    def __init__(self):
        self.plays = [GOOD]
        self.asked = []
        """The body of each request."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.openai = self

    @property
    def url(self):
        """Return the base URL."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self):
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
