"""What `checked` lets pass is what a Kafka-class broker accepts and can deliver (ADR 0003)."""

from dataclasses import replace

import pytest

from eventing.event import Event, checked
from shared.errors import Malformed

EVENT = Event(id="1", source="/here", type="a.b")


@pytest.mark.parametrize("change", [
    {"id": ""}, {"source": ""}, {"type": ""},
    {"subject": "Größe"}, {"subject": "two\nlines"}, {"type": "a\tb"}, {"id": "a\x7f"},
    {"source": "with space"}, {"source": "/a%zz"}, {"dataschema": "<x>"},
    {"time": "yesterday"}, {"time": "2026-11-21"}, {"time": "2026-02-30T00:00:00Z"},
    {"time": "2026-11-21T09:30:00"}, {"specversion": "2.0"},
    {"extensions": {"Upper": "x"}}, {"extensions": {"with-dash": "x"}}, {"extensions": {"": "x"}},
    {"extensions": {"ok": "ü"}}, {"extensions": {"ok": "a\r\nb"}},
])
def test_undeliverable_attribute_is_refused(change):
    with pytest.raises(Malformed):
        checked(replace(EVENT, **change))


@pytest.mark.parametrize("change", [
    {}, {"subject": "all printable ~!@#$%^&*()"}, {"time": "2026-11-21T09:30:00Z"},
    {"time": "2026-11-21t09:30:00.123456789+01:30"}, {"source": "urn:a:b"},
    {"source": "https://example.com/a%20b?c=d#e"}, {"extensions": {"a1": ""}},
    {"data": "bytes of any kind ü".encode()},
])
def test_deliverable_event_passes(change):
    event = replace(EVENT, **change)

    assert checked(event) is event


def test_all_faults_are_told_at_once():
    with pytest.raises(Malformed, match=r"id is missing.*'X-Y'.*subject") as caught:
        checked(replace(EVENT, id="", subject="ü", extensions={"X-Y": "1"}))

    assert caught.value.status == 400


def test_extended_sets_and_removes():
    event = EVENT.extended(hops=3, tool="calculator").extended(tool=None, hops=4)

    assert event.extensions == {"hops": "4"}
    assert EVENT.extensions == {}


def test_number_of_an_absent_extension_is_zero():
    assert EVENT.number("hops") == 0


@pytest.mark.parametrize("text", ["-1", "1.5", "many", "", "9" * 5000], ids=lambda text: text[:9])
def test_number_that_is_none_is_malformed(text):
    with pytest.raises(Malformed, match="hops"):
        EVENT.extended(hops=text).number("hops")


def test_data_that_is_not_json_is_malformed():
    with pytest.raises(Malformed, match="not JSON"):
        replace(EVENT, data=b"\xff").json()
