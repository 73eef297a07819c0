"""Passes TCP connections on to a port that may change: an address that outlives its server."""

import asyncio
from contextlib import suppress

CHUNK_BYTES = 65536


class Forwarder:
    """A loopback address in front of `to`; refuses in effect while nothing listens there."""

    def __init__(self, to=0):
        self.to = to
        self.url = ""
        self._server = None
        self._open = set()

    async def start(self, host="127.0.0.1"):
        self._server = await asyncio.start_server(self._pass_on, host, 0)
        self.url = f"http://{host}:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def stop(self):
        self._server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _pass_on(self, reader, writer):
        task = asyncio.current_task()
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        try:
            with suppress(OSError):
                await self._both_ways(reader, writer)
        finally:
            writer.close()

    async def _both_ways(self, reader, writer):
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self.to)
        try:
            async with asyncio.TaskGroup() as group:
                ways = [group.create_task(_copy(reader, to_writer)),
                        group.create_task(_copy(to_reader, writer))]
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                for way in ways:
                    way.cancel()
        finally:
            to_writer.close()


async def _copy(reader, writer):
    with suppress(OSError):
        while chunk := await reader.read(CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
