"""I1 to I9: what the ingress takes."""

import httpx2
import pytest

from tests.conformance.events import FULL, HELLO, MINIMAL, Sent, binary, event, structured

pytestmark = pytest.mark.anyio


async def test_binary_event_is_accepted_with_an_empty_answer(broker, send):
    under_test = await broker()

    answer = await send(under_test.ingress, binary(MINIMAL))

    assert answer.content == b""


async def test_structured_event_is_accepted(broker, send):
    under_test = await broker()

    await send(under_test.ingress, structured(FULL, HELLO))


async def test_specversion_0_3_is_accepted(broker, send):
    under_test = await broker()

    await send(under_test.ingress, event(specversion="0.3"))


@pytest.mark.parametrize("version", ["19.0", "9000.1"])
async def test_unknown_specversion_is_refused(broker, send, version):
    under_test = await broker()

    await send(under_test.ingress, event(specversion=version), status=400)


@pytest.mark.parametrize("media", ["application/vnd.apache.thrift.binary", "application/xml",
                                   "application/json"])
async def test_any_content_type_is_accepted(broker, send, media):
    under_test = await broker()

    await send(under_test.ingress, binary({**MINIMAL, "datacontenttype": media}, "<x/>"))


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "HEAD"])
async def test_other_method_is_not_allowed(broker, method, expected):
    under_test = await broker()

    async with httpx2.AsyncClient() as client:
        answer = await client.request(method, under_test.ingress)

    assert answer.status_code == (expected.options_status if method == "OPTIONS" else 405)


@pytest.mark.parametrize("name", ["specversion", "type", "source", "id"])
async def test_missing_required_attribute_is_refused(broker, send, name):
    under_test = await broker()
    headers = {n: v for n, v in binary(MINIMAL).headers.items() if n != f"ce-{name}"}

    await send(under_test.ingress, Sent(headers, b""), status=400)


@pytest.mark.parametrize("body", [b"garbage", b"[1]", b"", b'{"specversion": "1.0"}',
                                  b'{"specversion": "1.0", "type": "t", "source": "/s"}'])
async def test_broken_structured_event_is_refused(broker, send, body):
    under_test = await broker()

    await send(under_test.ingress, Sent({"content-type": "application/cloudevents+json"}, body),
               status=400)


async def test_batch_is_refused(broker, send):
    under_test = await broker()
    media = {"content-type": "application/cloudevents-batch+json"}

    await send(under_test.ingress, Sent(media, b"[]"), status=400)


@pytest.mark.parametrize("attributes", [
    {"time": "yesterday"}, {"source": "not a uri"}, {"bad_name": "x"}])
async def test_invalid_attribute_is_refused(broker, send, expected, attributes):
    under_test = await broker()
    is_checked = expected.source_is_checked or "source" not in attributes

    await send(under_test.ingress, event(**attributes), status=400 if is_checked else 202)


async def test_empty_id_has_its_own_rule(broker, send, expected):
    under_test = await broker()

    await send(under_test.ingress, event(id=""), status=expected.empty_id_status)
    await send(under_test.ingress, structured({**MINIMAL, "id": ""}),
               status=expected.empty_id_status)


async def test_unknown_broker_is_not_found(broker, send):
    under_test = await broker()
    elsewhere = under_test.ingress.rsplit("/", 1)[0] + "/nobody"

    await send(elsewhere, binary(MINIMAL), status=404)


async def test_event_of_a_mebibyte_is_not_stored(broker, send, expected):
    under_test = await broker()
    huge = binary({**MINIMAL, "datacontenttype": "text/plain"}, "x" * 1024 * 1024)

    if expected.too_large:
        await send(under_test.ingress, huge, status=expected.too_large)


async def test_header_above_8_kib_is_too_large(broker, send, expected):
    under_test = await broker()

    await send(under_test.ingress, event(long="x" * 9000), status=expected.header_too_large or 202)
