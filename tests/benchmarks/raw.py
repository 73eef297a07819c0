"""A load generator on bare sockets: an HTTP library would be slower than the ledger it measures.

Run as its own process, `python -m tests.benchmarks.raw --help`; what stands in its standard input
says who it is. Prints one JSON object: what was done and failed, the seconds taken, milliseconds.
"""

import argparse
import asyncio
import json
import re
import sys
import time
from collections import deque
from urllib.parse import urlsplit
from uuid import uuid4

import uvloop

from tests.benchmarks.figures import percentile

ATTRIBUTION = {"step": 1, "attempt": 1, "agent_version": "1", "env": "bench",
               "trigger_source": "/bench", "trigger_id": "1"}
USAGE = {"input_uncached": 100, "output_text": 50}
BATCH = 50
"""Reservations of one batch call."""


class Wire(asyncio.Protocol):
    """One keep-alive connection, and who speaks over it; one exchange at a time."""

    def __init__(self, headers):
        self._head = "".join(f"{name}: {value}\r\n" for name, value in {
            "host": "bench", "content-type": "application/json", **headers}.items()).encode()
        self._told, self._answer = b"", None

    @classmethod
    async def open(cls, url, headers):
        """Connect to the address of a service."""
        at = urlsplit(url)
        _, wire = await asyncio.get_running_loop().create_connection(
            lambda: cls(headers), at.hostname, at.port)
        return wire

    def connection_made(self, transport):
        self._transport = transport

    def data_received(self, data):
        self._told += data
        head, separator, body = self._told.partition(b"\r\n\r\n")
        if separator and len(body) == _length(head):
            self._told = b""
            self._answer.set_result((int(head[9:12]), body))

    def connection_lost(self, error):
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error or ConnectionError("closed without an answer"))

    async def post(self, path, body):
        """Return the status of a POST, and leave the connection ready for the next."""
        return (await self.answer(path, json.dumps(body).encode()))[0]

    def answer(self, path, data):
        """Send a POST; return what becomes status and body of its answer."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(b"POST %b HTTP/1.1\r\n%bcontent-length: %d\r\n\r\n%b" % (
            path.encode(), self._head, len(data), data))
        return self._answer

    def close(self):
        """Close the connection."""
        self._transport.close()


def _length(head):
    found = re.search(rb"\ncontent-length: *(\d+)", head, re.IGNORECASE)
    return int(found[1]) if found else 0


def call(ident):
    """Return the body of a reserve."""
    return {"id": ident, "kind": "llm", "model": "scripted/default", "holder": 1, "lease_s": 60,
            "input_tokens_max": 100, "output_tokens_max": 50, "attribution": ATTRIBUTION,
            "dispatch": True, "ticket": ident}


CALL = json.dumps(call("@")).encode()
SETTLED = json.dumps({"usage": USAGE, "response_model": "scripted/default"}).encode()
ASKED = json.dumps({"model": "mocked", "max_tokens": 50, "messages": [
    {"role": "user", "content": "What is the answer?"}]}).encode()
"""Bodies are written once: a generator that writes JSON takes its time from what it measures."""


async def _pair(wire):
    """Reserve and settle."""
    ident = str(uuid4())
    held, _ = await wire.answer("/v1/reservations", CALL.replace(b"@", ident.encode()))
    done, _ = await wire.answer(f"/v1/reservations/{ident}/settle", SETTLED)
    return (held, done) == (201, 200)


async def _batch(wire):
    """Reserve for `BATCH` calls at once."""
    asked = b",".join(CALL.replace(b"@", str(uuid4()).encode()) for _ in range(BATCH))
    status, text = await wire.answer("/v1/reservations:batch", b'{"reservations":[%b]}' % asked)
    return status == 200 and text.count(b'"state":"PENDING"') == BATCH


async def _chat(wire):
    """Complete a chat as an OpenAI client does."""
    return (await wire.answer("/v1/chat/completions", ASKED))[0] == 200


WORK = {"pair": _pair, "batch": _batch, "chat": _chat}


class Load:
    """One kind of work, as often as asked for, and what came of it."""

    def __init__(self, work, opened):
        self._work, self._opened = WORK[work], opened
        self._idle = deque()
        self.latencies_ms, self.failed = [], 0

    async def closed(self, clients, seconds):
        """Have clients work one after the other, each the next thing when it has an answer."""
        ends = time.monotonic() + seconds

        async def client():
            while time.monotonic() < ends:
                await self._one(time.monotonic())
        await asyncio.gather(*(client() for _ in range(clients)))

    async def paced(self, rate, seconds):
        """Begin `rate` things a second, whatever becomes of the others.

        What begins late, because generator or system are busy, counts from when it was due.
        """
        began, tasks = time.monotonic(), []
        for n in range(int(rate * seconds)):
            due = began + n / rate
            await asyncio.sleep(max(due - time.monotonic(), 0))
            tasks.append(asyncio.create_task(self._one(due)))
        await asyncio.gather(*tasks)

    async def _one(self, due):
        wire = self._idle.pop() if self._idle else await self._opened()
        self.failed += not await self._work(wire)
        self._idle.append(wire)
        self.latencies_ms.append((time.monotonic() - due) * 1000)


async def _load(given, headers):
    load = Load(given.work, lambda: Wire.open(given.url, headers))
    began = time.monotonic()
    if given.rate:
        await load.paced(given.rate, given.seconds)
    else:
        await load.closed(given.clients, given.seconds)
    took = time.monotonic() - began
    print(json.dumps({  # noqa: T201
        "done": len(load.latencies_ms) - load.failed, "failed": load.failed, "seconds": took,
        "p50_ms": percentile(load.latencies_ms, 50), "p99_ms": percentile(load.latencies_ms, 99)}))


def _arguments():
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.raw",
                                     epilog="Standard input: the headers, as JSON.")
    parser.add_argument("url")
    parser.add_argument("work", choices=WORK)
    parser.add_argument("--clients", type=int, default=16, help="each waits for its answer")
    parser.add_argument("--rate", type=float, default=0, help="a second, instead of clients")
    parser.add_argument("--seconds", type=float, default=10)
    return parser.parse_args()


if __name__ == "__main__":
    uvloop.run(_load(_arguments(), json.load(sys.stdin)))
