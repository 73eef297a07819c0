"""A load generator on bare sockets: an HTTP library would be slower than the ledger it measures.

Run as its own process: `python -m tests.benchmarks.raw <host> <port> <clients> <seconds> < grant`;
prints one JSON object with the pairs made, the seconds taken and the answers that were no success.
"""

import asyncio
import json
import sys
import time
from urllib.parse import urlsplit
from uuid import uuid4

import uvloop

ATTRIBUTION = {"step": 1, "attempt": 1, "agent_version": "1", "env": "bench",
               "trigger_source": "/bench", "trigger_id": "1"}
USAGE = {"input_uncached": 100, "output_text": 50}


class Wire:
    """One keep-alive connection."""

    def __init__(self, reader, writer, grant):
        self._reader, self._writer = reader, writer
        self._head = (f"host: ledger\r\ncontent-type: application/json\r\n"
                      f"tollgate-grant: {grant}\r\n")

    @classmethod
    async def open(cls, url, grant):
        """Connect to the address of a service."""
        at = urlsplit(url)
        return cls(*await asyncio.open_connection(at.hostname, at.port), grant)

    async def post(self, path, body):
        """Return the status of a POST, and leave the connection ready for the next."""
        data = json.dumps(body).encode()
        self._writer.write(f"POST {path} HTTP/1.1\r\n{self._head}content-length: {len(data)}"
                           f"\r\n\r\n".encode() + data)
        head = await self._reader.readuntil(b"\r\n\r\n")
        lowered = head.lower()
        at = lowered.index(b"content-length:") + 15
        await self._reader.readexactly(int(lowered[at:lowered.index(b"\r\n", at)]))
        return int(head[9:12])

    def close(self):
        """Close the connection."""
        self._writer.close()


def call(ident):
    """Return the body of a reserve."""
    return {"id": ident, "kind": "llm", "model": "scripted/default", "holder": 1, "lease_s": 60,
            "input_tokens_max": 100, "output_tokens_max": 50, "attribution": ATTRIBUTION,
            "dispatch": True, "ticket": ident}


async def _client(url, grant, ends, counts):
    wire = await Wire.open(url, grant)
    while time.monotonic() < ends:
        ident = str(uuid4())
        held = await wire.post("/v1/reservations", call(ident))
        done = await wire.post(f"/v1/reservations/{ident}/settle", {
            "usage": USAGE, "response_model": "scripted/default"})
        counts["pairs" if held == 201 and done == 200 else "failed"] += 1
    wire.close()


async def _load(url, clients, seconds, grant):
    counts, began = {"pairs": 0, "failed": 0}, time.monotonic()
    await asyncio.gather(*(_client(url, grant, began + seconds, counts) for _ in range(clients)))
    print(json.dumps(counts | {"seconds": time.monotonic() - began}))  # noqa: T201


if __name__ == "__main__":
    uvloop.run(_load(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.stdin.read().strip()))
