"""T1 to T5 and F1 to F9: which events reach which Trigger."""

import json

import pytest

from tests.conformance.events import event
from tests.conformance.protocol import Rejected, Spec
from tests.conformance.subscriber import Reply

pytestmark = pytest.mark.anyio


def exact(**attributes):
    return {"exact": attributes}


async def test_trigger_without_filter_gets_every_event(broker, subscriber, send):
    under_test, receiver = await broker(), await subscriber()
    await under_test.add_trigger("all", Spec(receiver.url))

    await send(under_test.ingress, event("a", "1"))
    await send(under_test.ingress, event("b", "2"))
    await receiver.wait_for(2)

    assert sorted(receiver.ids()) == ["1", "2"]


async def test_only_the_wanted_type_arrives(broker, subscriber, send):
    under_test, receiver, every = await broker(), await subscriber(), await subscriber()
    await under_test.add_trigger("every", Spec(every.url))
    await under_test.add_trigger("wanted", Spec(receiver.url, filters=[exact(type="wanted")]))

    await send(under_test.ingress, event("other", "1"))
    await send(under_test.ingress, event("wanted", "2"))
    await every.wait_for(2)
    await under_test.settled()

    assert receiver.ids() == ["2"]


async def test_two_matching_triggers_both_get_it(broker, subscriber, send):
    under_test, first, second = await broker(), await subscriber(), await subscriber()
    for name, receiver in (("first", first), ("second", second)):
        await under_test.add_trigger(name, Spec(receiver.url, filters=[exact(type="wanted")]))

    await send(under_test.ingress, event("wanted", "1"))

    await first.wait_for(1)
    await second.wait_for(1)


REPLY = {"specversion": "1.0", "type": "answer", "id": "reply", "source": "/first"}
BINARY_REPLY = {f"ce-{name}": value for name, value in REPLY.items()}
STRUCTURED_REPLY = json.dumps(REPLY).encode()


@pytest.mark.parametrize("reply", [
    Reply(200, BINARY_REPLY), Reply(202, BINARY_REPLY), Reply(200, BINARY_REPLY, b"data"),
    Reply(200, {"content-type": "application/cloudevents+json"}, STRUCTURED_REPLY)])
async def test_reply_reaches_the_trigger_that_wants_it_only(broker, subscriber, send, reply):
    under_test, first, second = await broker(), await subscriber(reply), await subscriber()
    await under_test.add_trigger("first", Spec(first.url, filters=[exact(type="question")]))
    await under_test.add_trigger("second", Spec(second.url, filters=[exact(type="answer")]))

    await send(under_test.ingress, event("question", "1"))
    await second.wait_for(1)
    await under_test.settled()

    assert (first.ids(), second.ids()) == (["1"], ["reply"])


async def test_reply_carries_only_what_the_function_put_on_it(broker, subscriber, send):
    under_test, first = await broker(), await subscriber(Reply(200, BINARY_REPLY))
    second = await subscriber()
    await under_test.add_trigger("first", Spec(first.url, filters=[exact(type="question")]))
    await under_test.add_trigger("second", Spec(second.url, filters=[exact(type="answer")]))

    await send(under_test.ingress, event("question", "1", tenantid="acme"))
    (received,) = await second.wait_for(1)

    assert received.attributes() == REPLY


@pytest.mark.parametrize(("filters", "old", "arrives"), [
    ([exact(type="a.b")], None, True),
    ([exact(type="a.b", subject="other")], None, False),
    ([exact(type="a.b", subject="s/1")], None, True),
    ([exact(missing="x")], None, False),
    ([{"prefix": {"type": "a."}}], None, True),
    ([{"prefix": {"type": "b"}}], None, False),
    ([{"suffix": {"type": ".b"}}], None, True),
    ([{"suffix": {"subject": "2"}}], None, False),
    ([{"any": [exact(type="x"), exact(type="a.b")]}], None, True),
    ([{"any": [exact(type="x"), exact(type="y")]}], None, False),
    ([{"all": [exact(type="a.b"), exact(subject="s/1")]}], None, True),
    ([{"all": [exact(type="a.b"), exact(subject="x")]}], None, False),
    ([{"not": exact(type="x")}], None, True),
    ([{"not": exact(type="a.b")}], None, False),
    ([{"not": exact(missing="x")}], None, True),
    ([{"all": [{"not": {"any": [exact(type="x"), {"prefix": {"subject": "t"}}]}},
               {"suffix": {"type": "b"}}]}], None, True),
    ([exact(type="a.b"), exact(subject="x")], None, False),
    ([], {"attributes": {"type": "a.b"}}, True),
    ([], {"attributes": {"type": "x"}}, False),
    (None, {"attributes": {"subject": ""}}, True),
    (None, {"attributes": {"missing": ""}}, False),
    ([exact(type="a.b")], {"attributes": {"type": "x"}}, True),
    ([exact(type="x")], {"attributes": {"type": "a.b"}}, False),
])
async def test_filter_decides(broker, subscriber, send, filters, old, arrives):
    under_test, receiver, every = await broker(), await subscriber(), await subscriber()
    await under_test.add_trigger("every", Spec(every.url))
    await under_test.add_trigger("one", Spec(receiver.url, filters=filters, filter=old))

    await send(under_test.ingress, event("a.b", "1", subject="s/1"))
    await every.wait_for(1)
    if arrives:
        await receiver.wait_for(1)
    await under_test.settled()

    assert receiver.ids() == (["1"] if arrives else [])


@pytest.mark.parametrize("filters", [[{}], [{"exact": {}}]])
async def test_empty_filter_is_rejected(broker, under_test, filters):
    if getattr(under_test, "takes_empty_filters", False):
        return
    under_test = await broker()

    with pytest.raises(Rejected):
        await under_test.add_trigger("bad", Spec("http://127.0.0.1:9/", filters=filters))


@pytest.mark.parametrize("filters", [
    [{"exact": {"type": "a"}, "prefix": {"type": "a"}}],
    [{"exact": {"SOURCE": "a"}}], [{"prefix": {"s-pace": "a"}}], [{"suffix": {"123": "a"}}],
    [{"exactt": {"type": "a"}}], [{"all": [{"any": [{"exact": {"UPPER": "x"}}]}]}]])
async def test_invalid_filter_is_rejected(broker, subscriber, filters):
    under_test = await broker()

    with pytest.raises(Rejected):
        await under_test.add_trigger("bad", Spec("http://127.0.0.1:9/", filters=filters))


@pytest.mark.parametrize("delivery", [
    {"retry": -1}, {"retries": 1}, {"backoffPolicy": "random"}, {"backoffDelay": "5s"},
    {"timeout": "PT0S"}, {"deadLetterSink": {}}, {"deadLetterSink": {"url": "http://x"}}])
async def test_invalid_delivery_is_rejected(broker, subscriber, delivery):
    under_test = await broker()

    with pytest.raises(Rejected):
        await under_test.add_trigger("bad", Spec("http://127.0.0.1:9/", delivery=delivery))


async def test_new_trigger_sees_only_events_from_now_on(broker, subscriber, send):
    under_test, every, late = await broker(), await subscriber(), await subscriber()
    await under_test.add_trigger("every", Spec(every.url))
    await send(under_test.ingress, event("a", "before"))
    await every.wait_for(1)

    await under_test.add_trigger("late", Spec(late.url))
    await send(under_test.ingress, event("a", "after"))
    await late.wait_for(1)
    await under_test.settled()

    assert late.ids() == ["after"]
