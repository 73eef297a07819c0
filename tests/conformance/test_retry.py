"""R0 to R3: how often a delivery is tried, and what ends it."""

import pytest

from tests.conformance.events import binary, event
from tests.conformance.protocol import Spec
from tests.conformance.subscriber import HOST, Reply, refusing

pytestmark = pytest.mark.anyio

QUICK = {"backoffPolicy": "linear", "backoffDelay": "PT0.01S"}


def retrying(count, sink=None):
    spec = {"retry": count, **QUICK}
    return spec if sink is None else spec | {"deadLetterSink": {"uri": sink.url}}


async def test_no_delivery_spec_delivers(broker, subscriber, send):
    under_test, receiver = await broker(), await subscriber()
    await under_test.add_trigger("plain", Spec(receiver.url))

    await send(under_test.ingress, event())

    await receiver.wait_for(1)


async def test_no_delivery_spec_calls_once_and_drops(broker, subscriber, send):
    under_test, receiver = await broker(), await subscriber(*refusing(9))
    await under_test.add_trigger("plain", Spec(receiver.url))

    await send(under_test.ingress, event())
    await receiver.wait_for(1)
    await under_test.settled()

    assert len(receiver.received) == 1


@pytest.mark.parametrize(("refused", "calls", "dead_letters"), [(3, 4, 0), (4, 4, 1)])
async def test_broker_retries_then_uses_its_sink(
        broker, subscriber, send, refused, calls, dead_letters):
    dead, receiver = await subscriber(), await subscriber(*refusing(refused))
    under_test = await broker(retrying(3, dead))
    await under_test.add_trigger("plain", Spec(receiver.url))

    await send(under_test.ingress, event())
    await receiver.wait_for(calls)
    await under_test.settled()

    assert len(receiver.received) == calls
    assert len(dead.received) == dead_letters


async def test_trigger_with_delivery_uses_its_own_retry(broker, subscriber, send):
    dead, receiver = await subscriber(), await subscriber(*refusing(3))
    under_test = await broker({"retry": 0})
    await under_test.add_trigger("own", Spec(receiver.url, delivery=retrying(3, dead)))

    await send(under_test.ingress, event())
    await receiver.wait_for(4)
    await under_test.settled()

    assert (len(receiver.received), len(dead.received)) == (4, 0)


async def test_trigger_without_sink_drops_even_if_the_broker_has_one(
        broker, subscriber, send, expected):
    dead, receiver = await subscriber(), await subscriber(*refusing(2))
    under_test = await broker(retrying(0, dead))
    await under_test.add_trigger("own", Spec(receiver.url, delivery=retrying(1)))

    await send(under_test.ingress, event())
    await receiver.wait_for(2)
    await under_test.settled()

    letters = 1 if expected.trigger_keeps_the_brokers_sink else 0
    assert (len(receiver.received), len(dead.received)) == (2, letters)


async def test_sink_of_the_trigger_replaces_that_of_the_broker(broker, subscriber, send):
    of_broker, of_trigger = await subscriber(), await subscriber()
    receiver = await subscriber(*refusing(4))
    under_test = await broker(retrying(1, of_broker))
    await under_test.add_trigger("own", Spec(receiver.url, delivery=retrying(3, of_trigger)))

    await send(under_test.ingress, event())
    await of_trigger.wait_for(1)
    await under_test.settled()

    assert (len(receiver.received), len(of_broker.received)) == (4, 0)


async def test_trigger_with_only_a_sink_loses_the_retries_of_the_broker(broker, subscriber, send):
    dead, receiver = await subscriber(), await subscriber(*refusing(1))
    under_test = await broker(retrying(3))
    await under_test.add_trigger(
        "own", Spec(receiver.url, delivery={"deadLetterSink": {"uri": dead.url}}))

    await send(under_test.ingress, event())
    await dead.wait_for(1)

    assert len(receiver.received) == 1


@pytest.mark.parametrize("status", [404, 408, 409, 429, 500, 502, 503,
                                    400, 401, 403, 410, 422])
async def test_status_decides_whether_it_is_tried_again(
        broker, subscriber, send, expected, status):
    dead, receiver = await subscriber(), await subscriber(then=Reply(status))
    under_test = await broker()
    await under_test.add_trigger("one", Spec(receiver.url, delivery=retrying(1, dead)))

    await send(under_test.ingress, event())
    (letter,) = await dead.wait_for(1)

    assert len(receiver.received) == (2 if status in expected.retried else 1)
    assert status in expected.retried + expected.not_retried
    assert letter.headers["ce-knativeerrorcode"] == str(status)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_redirect_is_a_dead_letter_at_once(broker, subscriber, send, expected, status):
    if not expected.redirects_code:
        return
    dead, other = await subscriber(), await subscriber()
    receiver = await subscriber(then=Reply(status, {"location": other.url}))
    under_test = await broker()
    await under_test.add_trigger("one", Spec(receiver.url, delivery=retrying(2, dead)))

    await send(under_test.ingress, event())
    (letter,) = await dead.wait_for(1)

    assert (len(receiver.received), len(other.received)) == (1, 0)
    assert letter.headers["ce-knativeerrorcode"] == str(status)


async def test_see_other_is_followed_with_get(broker, subscriber, send):
    other = await subscriber()
    receiver = await subscriber(then=Reply(303, {"location": other.url}))
    under_test = await broker()
    await under_test.add_trigger("one", Spec(receiver.url))

    await send(under_test.ingress, event())
    (followed,) = await other.wait_for(1)

    assert followed.method == "GET"


async def test_delay_of_zero_disables_retries(broker, subscriber, send, expected):
    dead, receiver = await subscriber(), await subscriber(then=Reply(503))
    under_test = await broker()
    await under_test.add_trigger("one", Spec(receiver.url, delivery={
        "retry": 3, "backoffDelay": "PT0S", "deadLetterSink": {"uri": dead.url}}))

    await send(under_test.ingress, binary({"specversion": "1.0", "id": "x", "source": "/s",
                                           "type": "t"}))
    await dead.wait_for(1)

    assert len(receiver.received) == expected.zero_delay_attempts


async def test_refused_connection_is_tried_again_then_a_dead_letter(
        broker, subscriber, send, expected, free_port):
    dead, under_test = await subscriber(), await broker()
    nobody = f"http://{HOST}:{free_port}/"
    await under_test.add_trigger("one", Spec(nobody, delivery=retrying(2, dead)))

    await send(under_test.ingress, event())
    (letter,) = await dead.wait_for(1)

    assert letter.headers["ce-knativeerrordest"] == nobody
    assert letter.headers.get("ce-knativeerrorcode") == expected.refused_connection_code
