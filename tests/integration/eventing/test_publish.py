"""What leaves for the broker, and what its answers mean."""

import pytest

from eventing.event import Event
from eventing.publish import Publisher
from shared.errors import Permanent, TollgateError, Transient
from shared.limits import PUBLISH_ATTEMPTS_MAX, TOKEN_KEPT_S
from tests.serving import serving

pytestmark = pytest.mark.anyio
EVENT = Event(id="1", source="/test", type="com.example.said", data=b'{"a":1}',
              datacontenttype="application/json", extensions={"tenantid": "acme"})


def answer(status, body=b""):
    return b"HTTP/1.1 %d X\r\ncontent-length: %d\r\n\r\n%b" % (status, len(body), body)


TAKEN = answer(202)


async def test_event_leaves_in_binary_mode_over_one_kept_connection():
    async with serving(TAKEN) as (url, seen):
        publisher = Publisher(f"{url}/namespace/name")
        for _ in range(3):
            await publisher.publish(EVENT)

    head, body, _ = seen[0]
    first, *headers = head.decode().rstrip().split("\r\n")
    assert first == "POST /namespace/name HTTP/1.1"
    assert sorted(headers) == sorted([
        f"host: {url.removeprefix('http://')}", "ce-specversion: 1.0", "ce-id: 1",
        "ce-source: /test", "ce-type: com.example.said", "ce-tenantid: acme",
        "content-type: application/json", "content-length: 7"])
    assert body == EVENT.data
    assert [connection for *_, connection in seen] == [1, 1, 1]


@pytest.mark.parametrize("status", [404, 408, 409, 429, 500, 503])
async def test_refusal_that_may_pass_is_tried_again(status):
    async with serving(answer(status), TAKEN) as (url, seen):
        await Publisher(url).publish(EVENT)

    assert len(seen) == 2


async def test_broker_that_goes_on_refusing_is_transient():
    async with serving(answer(503)) as (url, seen):
        with pytest.raises(Transient, match="503"):
            await Publisher(url).publish(EVENT)

    assert len(seen) == PUBLISH_ATTEMPTS_MAX


async def test_refusal_for_good_is_told_with_the_brokers_words():
    async with serving(answer(400, b"no such thing")) as (url, seen):
        with pytest.raises(Permanent, match="400: no such thing"):
            await Publisher(url).publish(EVENT)

    assert len(seen) == 1


async def test_absent_broker_is_transient_and_named(free_port):
    url = f"http://127.0.0.1:{free_port}/namespace/name"
    with pytest.raises(Transient, match=url):
        await Publisher(url).publish(EVENT)


@pytest.mark.parametrize("url", ["https://broker.example/a", "broker.example/a", ""])
def test_address_that_is_none_is_refused_at_the_start(url):
    with pytest.raises(TollgateError, match="http://"):
        Publisher(url)


async def test_nothing_is_shown_where_there_is_no_token(tmp_path):
    async with serving(TAKEN) as (url, seen):
        await Publisher(url, token=tmp_path / "token").publish(EVENT)

    assert b"authorization" not in seen[0][0]


async def test_a_renewed_token_is_shown_in_time(tmp_path):
    now, token = 0.0, tmp_path / "token"
    async with serving(TAKEN) as (url, seen):
        publisher = Publisher(url, token=token, clock=lambda: now)
        for text in ("old\n", "new\n"):
            token.write_text(text)
            await publisher.publish(EVENT)
            now += TOKEN_KEPT_S

    assert [b"authorization: Bearer " + text + b"\r\n" in head
            for text, (head, *_) in zip((b"old", b"new"), seen, strict=True)] == [True, True]
