"""The transport against a server that does what it is told, byte by byte."""

import asyncio

import httpx2
import pytest

from shared.http_client import cluster_client
from tests.serving import serving

pytestmark = pytest.mark.anyio
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


async def test_request_arrives_whole_and_the_connection_is_kept():
    async with serving(OK) as (url, seen), cluster_client(5) as client:
        for _ in range(3):
            answer = await client.post(f"{url}/a?b=c", json={"x": 1}, headers={"Ce-Id": "1"})
            assert (answer.status_code, answer.text) == (200, "ok")

    head, body, _ = seen[0]
    assert head.startswith(b"POST /a?b=c HTTP/1.1\r\n")
    assert b"Ce-Id: 1\r\n" in head
    assert body == b'{"x":1}'
    assert {connection for *_, connection in seen} == {1}


async def test_answer_in_pieces_and_chunks_is_put_together():
    pieces = [b"HTTP/1.1 200 OK\r\ntransfer-enc", b"oding: chunked\r\n\r\n3\r\nabc\r\n",
              b"2\r\nde\r\n0\r\n\r\n"]
    async with serving(pieces) as (url, _), cluster_client(5) as client:
        assert (await client.get(url)).text == "abcde"


async def test_interim_answer_is_passed_over():
    async with serving(b"HTTP/1.1 100 Continue\r\n\r\n" + OK) as (url, _), \
            cluster_client(5) as client:
        assert (await client.get(url)).status_code == 200


async def test_connection_that_was_closed_while_idle_is_replaced():
    async with serving(OK, closes_after=1) as (url, seen), cluster_client(5) as client:
        for _ in range(3):
            assert (await client.post(url, content=b"x")).status_code == 200

    assert [connection for *_, connection in seen] == [1, 2, 3]


async def test_answer_that_says_close_is_not_kept():
    closing = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n"
    async with serving(closing) as (url, seen), cluster_client(5) as client:
        for _ in range(2):
            assert (await client.get(url)).status_code == 204

    assert [connection for *_, connection in seen] == [1, 2]


@pytest.mark.parametrize(("answer", "error"), [
    (b"", httpx2.RemoteProtocolError),
    (b"not http at all\r\n\r\n", httpx2.RemoteProtocolError),
])
async def test_broken_answer_is_a_protocol_error(answer, error):
    async with serving(answer) as (url, _), cluster_client(5) as client:
        with pytest.raises(error):
            await client.get(url)


async def test_half_an_answer_is_a_protocol_error():
    half = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhal"
    async with serving(half, closes_after=1) as (url, _), cluster_client(5) as client:
        with pytest.raises(httpx2.RemoteProtocolError, match="middle"):
            await client.get(url)


async def test_silence_is_a_timeout_and_the_connection_is_not_used_again():
    async with serving([], OK) as (url, seen), cluster_client(0.05) as client:
        with pytest.raises(httpx2.ReadTimeout):
            await client.get(url)
        answer = await client.get(url, timeout=5)

    assert answer.text == "ok"
    assert [connection for *_, connection in seen] == [1, 2]


async def test_nobody_listening_is_a_connect_error(free_port):
    async with cluster_client(5) as client:
        with pytest.raises(httpx2.ConnectError):
            await client.get(f"http://127.0.0.1:{free_port}/")


async def test_https_is_refused():
    async with cluster_client(5) as client:
        with pytest.raises(httpx2.UnsupportedProtocol):
            await client.get("https://127.0.0.1/")


async def test_many_at_once_do_not_mix():
    async with serving(OK) as (url, seen), cluster_client(5) as client:
        answers = await asyncio.gather(*(client.post(url, content=bytes([65 + n]) * 1000)
                                         for n in range(26)))

    assert {a.text for a in answers} == {"ok"}
    assert sorted(body[0] for _, body, _ in seen) == list(range(65, 91))
    assert all(len(set(body)) == 1 for _, body, _ in seen)


async def test_what_is_said_unasked_is_nobodys_answer():
    async with serving(OK + OK, OK) as (url, seen), cluster_client(5) as client:
        for _ in range(2):
            assert (await client.get(url)).text == "ok"

    assert [connection for *_, connection in seen] == [1, 2]


async def test_cancelled_request_leaves_nothing_behind_for_the_next():
    async with serving([], OK) as (url, seen), cluster_client(5) as client:
        waiting = asyncio.create_task(client.get(url))
        while not seen:
            await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

        assert (await client.get(url)).text == "ok"
