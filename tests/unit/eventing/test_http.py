"""The codec, against the HTTP and JSON bindings of CloudEvents 1.0.2."""

import base64
import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventing.event import CONTEXT, Event, checked
from eventing.http import decode, encode_binary, encode_structured, is_event
from shared.errors import Malformed

BINARY = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/here", "ce-type": "a.b"}
STRUCTURED = {"content-type": "application/cloudevents+json; charset=utf-8"}
REQUIRED = {"specversion": "1.0", "id": "1", "source": "/here", "type": "a.b"}

printable = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=40)
names = st.from_regex(r"[a-z0-9]{1,20}", fullmatch=True).filter(
    lambda n: n not in (*CONTEXT, "data", "data_base64", "data64"))
trimmed = printable.map(str.strip).filter(bool)
uris = st.from_regex(r"/[A-Za-z0-9._~/-]{0,30}", fullmatch=True)
events = st.builds(
    Event, id=trimmed, source=uris, type=trimmed, subject=st.none() | trimmed,
    time=st.none() | st.just("2026-11-21T09:30:00.25Z"),
    datacontenttype=st.just("application/octet-stream"), data=st.binary(min_size=1),
    extensions=st.dictionaries(names, trimmed, max_size=5))


@given(events)
def test_binary_mode_keeps_every_attribute_and_byte(event):
    assert decode(*encode_binary(event)) == event


@given(events)
def test_structured_mode_keeps_every_attribute_and_byte(event):
    assert decode(*encode_structured(event)) == event


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-2**53, 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@given(json_values)
def test_any_json_value_survives_structured_mode(value):
    event = Event(id="1", source="/here", type="a.b", datacontenttype="application/json",
                  data=json.dumps(value).encode())

    assert decode(*encode_structured(event)).json() == value


@given(st.dictionaries(st.sampled_from(["ce-id", "ce-type", "ce-source", "ce-specversion",
                                        "ce-time", "content-type", "ce-x"]), st.text()),
       st.binary(max_size=200))
def test_garbage_is_an_event_or_malformed_and_nothing_else(headers, body):
    with contextlib.suppress(Malformed):
        checked(decode(headers, body))


@given(st.binary(max_size=200))
def test_garbage_in_structured_mode_is_malformed(body):
    with pytest.raises(Malformed):
        checked(decode(STRUCTURED, body))


@given(st.dictionaries(st.sampled_from([*CONTEXT, "data", "data_base64", "ext"]),
                       st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text())))
def test_structured_event_of_odd_values_is_an_event_or_malformed(document):
    with contextlib.suppress(Malformed):
        checked(decode(STRUCTURED, json.dumps(document).encode()))


def test_header_names_are_case_insensitive():
    headers = {name.upper(): value for name, value in BINARY.items()}

    assert decode(headers, b"").id == "1"


def test_binary_mode_without_data_has_no_content_type():
    headers, body = encode_binary(Event(id="1", source="/here", type="a.b"))

    assert body == b""
    assert "content-type" not in {name.lower() for name in headers}


def test_event_without_a_time_stays_without_one():
    assert decode(BINARY, b"").time is None
    assert decode(STRUCTURED, json.dumps(REQUIRED).encode()).time is None


def test_json_data_of_a_binary_event_is_not_parsed():
    body = b'{"b": 1,   "a": 2.50}'

    assert decode({**BINARY, "content-type": "application/json"}, body).data == body


def test_base64_data_is_decoded():
    body = json.dumps({**REQUIRED, "data_base64": base64.b64encode(b"\x00\xff").decode()}).encode()

    assert decode(STRUCTURED, body).data == b"\x00\xff"


def test_broken_base64_is_malformed():
    with pytest.raises(Malformed, match="data_base64"):
        decode(STRUCTURED, json.dumps({**REQUIRED, "data_base64": "%"}).encode())


def test_structured_booleans_and_numbers_arrive_as_texts():
    body = json.dumps({**REQUIRED, "exbool": True, "exint": 42}).encode()

    assert decode(STRUCTURED, body).extensions == {"exbool": "true", "exint": "42"}


def test_batch_is_refused_by_name():
    headers = {"content-type": "application/cloudevents-batch+json"}

    assert is_event(headers)
    with pytest.raises(Malformed, match="batch"):
        decode(headers, b"[]")


@pytest.mark.parametrize("missing", ["ce-specversion", "ce-id", "ce-source", "ce-type"])
def test_missing_required_attribute_is_named(missing):
    headers = {name: value for name, value in BINARY.items() if name != missing}

    with pytest.raises(Malformed, match=missing.removeprefix("ce-")):
        checked(decode(headers, b""))


@pytest.mark.parametrize("missing", ["specversion", "id", "source", "type"])
def test_missing_required_attribute_of_a_structured_event_is_named(missing):
    document = {name: value for name, value in REQUIRED.items() if name != missing}

    with pytest.raises(Malformed, match=missing):
        checked(decode(STRUCTURED, json.dumps(document).encode()))


@pytest.mark.parametrize("version", ["19.0", "9000.1", "", "1.1"])
def test_unknown_specversion_is_refused(version):
    with pytest.raises(Malformed):
        checked(decode({**BINARY, "ce-specversion": version}, b""))


def test_plain_request_is_no_event():
    assert not is_event({"content-type": "application/json", "host": "here"})
