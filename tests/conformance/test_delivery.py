"""D1 to D6: what arrives at a subscriber."""

import pytest

from tests.conformance.events import FULL, HELLO, MINIMAL, binary, event, structured, text
from tests.conformance.protocol import Spec
from tests.conformance.subscriber import HOST, Reply, Subscriber

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("mode", [binary, structured])
@pytest.mark.parametrize(("attributes", "data"), [(MINIMAL, None), (FULL, HELLO)])
async def test_event_arrives_unchanged_in_binary_mode(
        broker, subscriber, send, mode, attributes, data):
    under_test, receiver = await broker(), await subscriber()
    await under_test.add_trigger("all", Spec(receiver.url))

    await send(under_test.ingress, mode(attributes, data))
    (received,) = await receiver.wait_for(1)

    wanted = {n: text(v) for n, v in attributes.items() if n != "datacontenttype"}
    assert received.attributes() == wanted
    assert received.headers.get("content-type") == attributes.get("datacontenttype")
    assert received.body.strip() == (data or "").encode()  # JSON may gain white space


async def test_delivery_asks_for_a_reply_and_names_the_namespace(broker, subscriber, send):
    under_test, receiver = await broker(), await subscriber()
    await under_test.add_trigger("all", Spec(receiver.url))

    await send(under_test.ingress, binary(MINIMAL))
    (received,) = await receiver.wait_for(1)

    assert received.headers["prefer"] == "reply"
    assert received.headers["kn-namespace"] == under_test.namespace


async def test_place_in_the_topic_is_the_same_at_each_delivery(broker, subscriber, send):
    under_test, receiver = await broker(), await subscriber(Reply(503))
    if under_test.broker_class != "Kafka":
        return
    await under_test.add_trigger(
        "all", Spec(receiver.url, delivery={"retry": 1, "backoffDelay": "PT0.01S"}))

    await send(under_test.ingress, binary(MINIMAL))
    first, second = await receiver.wait_for(2)

    assert first.headers["ce-knativekafkapartition"].isdecimal()
    assert first.headers["ce-knativekafkaoffset"] == second.headers["ce-knativekafkaoffset"]


async def test_trace_keeps_its_id_and_other_headers_are_dropped(broker, subscriber, send):
    under_test, receiver = await broker(), await subscriber()
    await under_test.add_trigger("all", Spec(receiver.url))
    message, trace = binary(MINIMAL), "4bf92f3577b34da6a3ce929d0e0e4736"
    message.headers.update({"traceparent": f"00-{trace}-00f067aa0ba902b7-01", "x-mine": "1"})

    await send(under_test.ingress, message)
    (received,) = await receiver.wait_for(1)

    assert received.headers["traceparent"].split("-")[1] == trace
    assert "x-mine" not in received.headers


async def test_event_waits_for_a_subscriber_that_is_down(broker, subscriber, send, free_port):
    under_test = await broker({"retry": 10, "backoffPolicy": "linear", "backoffDelay": "PT0.2S"})
    await under_test.add_trigger("all", Spec(f"http://{HOST}:{free_port}/"))

    await send(under_test.ingress, binary(MINIMAL))
    receiver = await Subscriber().start(free_port)
    await receiver.wait_for(1)

    await receiver.stop()


async def test_two_triggers_to_one_subscriber_deliver_twice(broker, subscriber, send):
    under_test, receiver = await broker(), await subscriber()
    await under_test.add_trigger("first", Spec(receiver.url))
    await under_test.add_trigger("second", Spec(receiver.url))

    await send(under_test.ingress, binary(MINIMAL))
    await receiver.wait_for(2)
    await under_test.settled()

    assert receiver.ids() == ["minimal-event"] * 2


async def test_large_text_arrives_equal(broker, subscriber, send):
    under_test, receiver = await broker(), await subscriber()
    await under_test.add_trigger("all", Spec(receiver.url))
    body = "0123456789abcdef" * 2304

    await send(under_test.ingress, binary({**MINIMAL, "datacontenttype": "text/plain"}, body))
    (received,) = await receiver.wait_for(1)

    assert len(body) == 36_864
    assert received.body == body.encode()


async def test_slower_than_the_timeout_is_a_dead_letter_without_code(
        broker, subscriber, send, expected):
    under_test, dead = await broker(), await subscriber()
    slow = await subscriber(then=Reply(wait_s=60))
    await under_test.add_trigger("slow", Spec(slow.url, delivery={
        "timeout": "PT0.3S", "deadLetterSink": {"uri": dead.url}}))

    await send(under_test.ingress, binary(MINIMAL))
    (received,) = await dead.wait_for(1)

    if expected.failure_always_names_its_place:
        assert received.headers["ce-knativeerrordest"] == slow.url
    assert "ce-knativeerrorcode" not in received.headers


async def test_bytes_arrive_equal(broker, subscriber, send):
    under_test, receiver = await broker(), await subscriber()
    await under_test.add_trigger("all", Spec(receiver.url))
    message = event(datacontenttype="application/octet-stream")
    every_byte = bytes(range(256))

    await send(under_test.ingress, type(message)(message.headers, every_byte))
    (received,) = await receiver.wait_for(1)

    assert received.body == every_byte
