import asyncio
import json

import httpx2
import pytest


class Provider:
    """A loopback server that answers every request with the bytes a test gives it."""

    def __init__(self):
        self.requests = []
        self.status = 200
        self.body = b""
        self.is_cut = False
        """Announce more bytes than are sent, then close: half a stream."""
        self.is_silent = False

    async def start(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"

    async def stop(self):
        self._server.close()
        await self._server.wait_closed()

    def stream(self, *events):
        self.body = b"".join(
            b"data: " + (e if isinstance(e, bytes) else json.dumps(e).encode()) + b"\n\n"
            for e in events)

    async def _serve(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        sizes = [line.partition(":")[2] for line in head.splitlines()
                 if line.startswith("content-length")]
        body = await reader.readexactly(int(sizes[0])) if sizes else b"null"
        self.requests.append((head, json.loads(body)))
        if self.is_silent:
            await reader.read()
        else:
            size = len(self.body) + (100 if self.is_cut else 0)
            writer.write(f"HTTP/1.1 {self.status} X\r\ncontent-type: text/event-stream\r\n"
                         f"content-length: {size}\r\nconnection: close\r\n\r\n".encode())
            writer.write(self.body)
            await writer.drain()
        writer.close()


@pytest.fixture
async def provider():
    server = Provider()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def client():
    async with httpx2.AsyncClient(trust_env=False) as opened:
        yield opened
