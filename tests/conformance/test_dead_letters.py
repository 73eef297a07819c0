"""L1 to L5: what a dead letter says."""

import base64

import pytest

from tests.conformance.events import FULL, HELLO, binary, event, text
from tests.conformance.protocol import Spec
from tests.conformance.subscriber import HOST, Reply

pytestmark = pytest.mark.anyio

PLAIN_REPLY = Reply(200, {"ce-specversion": "1.0", "ce-id": "r", "ce-source": "/r",
                          "ce-type": "com.example.Reply"})


async def dead_letter(broker, subscriber, send, answer, *, retry=0):
    """Return the dead letter of a subscriber that always answers so, and that subscriber."""
    dead, failing, under_test = await subscriber(), await subscriber(then=answer), await broker()
    await under_test.add_trigger("failing", Spec(failing.url, delivery={
        "retry": retry, "backoffDelay": "PT0.01S", "deadLetterSink": {"uri": dead.url}}))
    await send(under_test.ingress, binary(FULL, HELLO))
    (letter,) = await dead.wait_for(1)
    await under_test.settled()
    return letter, failing


async def test_unreachable_subscriber_is_named(broker, subscriber, send, free_port):
    dead, under_test = await subscriber(), await broker()
    nobody = f"http://{HOST}:{free_port}/"
    await under_test.add_trigger("nobody", Spec(nobody, delivery={
        "deadLetterSink": {"uri": dead.url}}))

    await send(under_test.ingress, event())
    (letter,) = await dead.wait_for(1)

    assert letter.headers["ce-knativeerrordest"] == nobody


async def test_dead_letter_is_the_original_event(broker, subscriber, send):
    letter, _ = await dead_letter(broker, subscriber, send, Reply(422))

    kept = {n: v for n, v in letter.attributes().items() if not n.startswith("knativeerror")}
    assert kept == {n: text(v) for n, v in FULL.items() if n != "datacontenttype"}
    assert letter.body == HELLO.encode()
    assert letter.headers["content-type"] == "text/json"


async def test_answer_without_body_leaves_a_code(broker, subscriber, send, expected):
    letter, failing = await dead_letter(broker, subscriber, send, Reply(422))

    assert letter.headers["ce-knativeerrordest"] == failing.url
    assert letter.headers["ce-knativeerrorcode"] == "422"
    assert ("ce-knativeerrordata" in letter.headers) == expected.empty_answer_leaves_data
    assert not letter.headers.get("ce-knativeerrordata")


async def test_answer_with_body_leaves_its_data(broker, subscriber, send):
    letter, _ = await dead_letter(broker, subscriber, send, Reply(422, body=b"no good"))

    assert base64.b64decode(letter.headers["ce-knativeerrordata"]) == b"no good"


async def test_long_answer_is_cut_after_1024_bytes(broker, subscriber, send, expected):
    body = bytes(range(256)) * (8 if expected.keeps_long_answers else 3)

    letter, _ = await dead_letter(broker, subscriber, send, Reply(500, body=body))

    assert base64.b64decode(letter.headers["ce-knativeerrordata"]) == body[:1024]


@pytest.mark.parametrize("answer", [
    Reply(200, body=b"OK"), Reply(202, {"content-type": "application/json"}, b"{}"),
    Reply(200, {"content-type": "application/cloudevents-batch+json"}, b"[]"),
    Reply(200, {"content-type": "application/cloudevents+json"}, b"{}"),
    Reply(200, {"ce-specversion": "1.0", "ce-id": "r"}, b"incomplete"),
    Reply(200, PLAIN_REPLY.headers, b"x" * 1024 * 1024),
])
async def test_success_with_a_body_that_is_no_event_is_a_failure(
        broker, subscriber, send, expected, answer):
    if answer.headers is PLAIN_REPLY.headers and not expected.replies_are_limited:
        return
    letter, failing = await dead_letter(broker, subscriber, send, answer, retry=2)

    is_broken_reply = "ce-id" in answer.headers  # seen in its headers, before any retry
    assert len(failing.received) == (1 if is_broken_reply else expected.bad_success_attempts)
    has_code = expected.broken_reply_has_code if is_broken_reply else expected.bad_success_has_code
    assert ("ce-knativeerrorcode" in letter.headers) == has_code
    if expected.failure_always_names_its_place:
        assert letter.headers["ce-knativeerrordest"] == failing.url


async def test_sink_is_called_with_the_same_retries_then_the_event_is_lost(
        broker, subscriber, send):
    dead, failing = await subscriber(then=Reply(503)), await subscriber(then=Reply(422))
    under_test = await broker()
    await under_test.add_trigger("failing", Spec(failing.url, delivery={
        "retry": 2, "backoffDelay": "PT0.01S", "deadLetterSink": {"uri": dead.url}}))

    await send(under_test.ingress, event())
    await dead.wait_for(3)
    await under_test.settled()

    assert (len(failing.received), len(dead.received)) == (1, 3)


async def test_event_in_the_answer_of_the_sink_enters_the_broker(
        broker, subscriber, send, expected):
    if not expected.dead_letter_reply_enters:
        return
    dead, failing = await subscriber(PLAIN_REPLY), await subscriber(then=Reply(422))
    listener, under_test = await subscriber(), await broker()
    await under_test.add_trigger("failing", Spec(
        failing.url, filters=[{"exact": {"type": "com.example.Plain"}}],
        delivery={"deadLetterSink": {"uri": dead.url}}))
    await under_test.add_trigger("listener", Spec(
        listener.url, filters=[{"exact": {"type": "com.example.Reply"}}]))

    await send(under_test.ingress, event())

    await listener.wait_for(1)
