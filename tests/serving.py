"""A server that answers what it is told, byte by byte, and keeps what came."""

import asyncio
from contextlib import asynccontextmanager


@asynccontextmanager
async def serving(*answers, closes_after=0):
    """Serve the answers in turn (the last one for ever); yields the address and what came."""
    seen, connections, left = [], [], list(answers)

    async def on_connection(reader, writer):
        connections.append(writer)
        count = 0
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n")
                               if line.startswith(b"content-length:")), 0)
                seen.append((head, await reader.readexactly(length), len(connections)))
                answer = left.pop(0) if len(left) > 1 else left[0]
                for part in answer if isinstance(answer, list) else [answer]:
                    writer.write(part)
                    await writer.drain()
                count += 1
                if answer == b"" or count == closes_after:
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(on_connection, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", seen
        for writer in connections:
            writer.close()
