"""Who publishes says who it is where the broker asks, and nothing elsewhere."""

import httpx2
import pytest

from eventing.event import Event
from eventing.publish import Publisher

pytestmark = pytest.mark.anyio


@pytest.fixture
def heard():
    return []


@pytest.fixture
def publisher(heard, tmp_path):
    def answer(request):
        heard.append(request.headers.get("authorization"))
        return httpx2.Response(202)

    client = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
    return Publisher("http://broker.test/n/default", client, token=tmp_path / "token")


EVENT = Event(id="1", source="/test", type="com.example.said")


async def test_nothing_is_shown_where_there_is_no_token(publisher, heard):
    await publisher.publish(EVENT)

    assert heard == [None]


async def test_a_renewed_token_is_shown_at_once(publisher, heard, tmp_path):
    for text in ("old\n", "new\n"):
        (tmp_path / "token").write_text(text)
        await publisher.publish(EVENT)

    assert heard == ["Bearer old", "Bearer new"]
