"""A load generator on bare sockets: an HTTP library would be slower than the ledger it measures.

Run as its own process, `python -m tests.benchmarks.raw --help`; what stands in its standard input
says who it is. Prints one JSON object: what was done and failed, the seconds taken, milliseconds.
"""

import argparse
import asyncio
import json
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


class Wire:
    """One keep-alive connection, and who speaks over it."""

    def __init__(self, reader, writer, headers):
        self._reader, self._writer = reader, writer
        self._head = "".join(f"{name}: {value}\r\n" for name, value in {
            "host": "bench", "content-type": "application/json", **headers}.items())

    @classmethod
    async def open(cls, url, headers):
        """Connect to the address of a service."""
        at = urlsplit(url)
        return cls(*await asyncio.open_connection(at.hostname, at.port), headers)

    async def post(self, path, body):
        """Return the status of a POST, and leave the connection ready for the next."""
        return (await self.answer(path, body))[0]

    async def answer(self, path, body):
        """Return status and body of the answer to a POST."""
        data = json.dumps(body).encode()
        self._writer.write(f"POST {path} HTTP/1.1\r\n{self._head}content-length: {len(data)}"
                           f"\r\n\r\n".encode() + data)
        head = await self._reader.readuntil(b"\r\n\r\n")
        lowered = head.lower()
        at = lowered.index(b"content-length:") + 15
        length = int(lowered[at:lowered.index(b"\r\n", at)])
        return int(head[9:12]), await self._reader.readexactly(length)

    def close(self):
        """Close the connection."""
        self._writer.close()


def call(ident):
    """Return the body of a reserve."""
    return {"id": ident, "kind": "llm", "model": "scripted/default", "holder": 1, "lease_s": 60,
            "input_tokens_max": 100, "output_tokens_max": 50, "attribution": ATTRIBUTION,
            "dispatch": True, "ticket": ident}


async def _pair(wire):
    """Reserve and settle."""
    ident = str(uuid4())
    held = await wire.post("/v1/reservations", call(ident))
    done = await wire.post(f"/v1/reservations/{ident}/settle", {
        "usage": USAGE, "response_model": "scripted/default"})
    return (held, done) == (201, 200)


async def _batch(wire):
    """Reserve for `BATCH` calls at once."""
    status, text = await wire.answer("/v1/reservations:batch", {
        "reservations": [call(str(uuid4())) for _ in range(BATCH)]})
    return status == 200 and all(
        each.get("state") == "PENDING" for each in json.loads(text)["reservations"])


async def _chat(wire):
    """Complete a chat as an OpenAI client does."""
    return await wire.post("/v1/chat/completions", {
        "model": "mocked", "max_tokens": 50,
        "messages": [{"role": "user", "content": "What is the answer?"}]}) == 200


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
