"""Delivers events to costs through its own door, as a broker does: one request each.

Run as its own process: `python -m tests.benchmarks.intake <host> <port> <senders> < events`, where
a line is one JSON array of headers and body; prints a JSON object with the seconds it took and the
answers that were no success.
"""

import asyncio
import json
import sys
import time
from itertools import chain

import uvloop

AS_THE_BROKER = {"host": "costs.tollgate.svc.cluster.local", "prefer": "reply",
                 "kn-namespace": "tollgate", "user-agent": "Vert.x-WebClient/4.5.10",
                 "ce-knativekafkapartition": "7"}


def request(line, offset):
    """Return the bytes of a delivery."""
    headers, body = json.loads(line)
    told = chain(AS_THE_BROKER.items(), headers.items(), (
        ("ce-knativekafkaoffset", offset), ("content-length", len(body.encode()))))
    head = "".join(f"{name}: {value}\r\n" for name, value in told)
    return f"POST / HTTP/1.1\r\n{head}\r\n{body}".encode()


async def _sender(host, port, left, refused):
    reader, writer = await asyncio.open_connection(host, port)
    for message in left:
        writer.write(message)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 204"):
            refused.append(head.decode())
            break
    writer.close()


async def _deliver(host, port, senders, messages):
    left, refused, began = iter(messages), [], time.monotonic()
    await asyncio.gather(*(_sender(host, port, left, refused) for _ in range(senders)))
    print(json.dumps({"seconds": time.monotonic() - began, "refused": refused}))  # noqa: T201


if __name__ == "__main__":
    found = [request(line, n) for n, line in enumerate(sys.stdin)]
    uvloop.run(_deliver(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), found))
