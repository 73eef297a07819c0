"""An answer's head and body leave in one write, and nothing waits that is large or late."""

import asyncio

import pytest

from eventing.local.gathering import GATHERED_BYTES_MAX, _Gathered

pytestmark = pytest.mark.anyio


class Transport:
    """Keeps what is written."""

    def __init__(self):
        self.written, self.closed = [], False

    def write(self, data):
        assert not self.closed, "written to a closed transport"
        self.written.append(data)

    def is_closing(self):
        return self.closed

    def close(self):
        self.closed = True

    def get_extra_info(self, name):
        return f"info of {name}"


@pytest.fixture
def transport():
    return Transport()


@pytest.fixture
async def gathered(transport):
    return _Gathered(transport, asyncio.get_running_loop())


async def turn():
    await asyncio.sleep(0)


async def test_head_and_body_leave_in_one_write(transport, gathered):
    gathered.write(b"head ")
    gathered.write(b"body")
    assert transport.written == []
    await turn()
    gathered.write(b"next")
    await turn()

    assert transport.written == [b"head body", b"next"]


async def test_stream_that_never_gives_way_does_not_pile_up(transport, gathered):
    chunk = b"x" * (GATHERED_BYTES_MAX // 4 + 1)
    for _ in range(8):
        gathered.write(chunk)

    assert transport.written == [chunk * 4, chunk * 4]


async def test_closing_writes_what_was_said(transport, gathered):
    gathered.write(b"last words")
    gathered.close()
    await turn()

    assert (transport.written, transport.closed) == ([b"last words"], True)


async def test_nothing_is_written_to_whoever_has_gone(transport, gathered):
    gathered.write(b"too late")
    transport.closed = True
    await turn()

    assert transport.written == []


async def test_everything_else_is_the_transports_own(gathered):
    assert gathered.get_extra_info("peername") == "info of peername"
