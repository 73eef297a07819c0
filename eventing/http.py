"""Reads and writes CloudEvents over HTTP (CloudEvents HTTP binding 1.0.2, sections 3.1 and 3.2).

The one home of the `cloudevents` package, which parses and formats; what it lets pass that a
broker would not, `eventing.event.checked` refuses.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any

from cloudevents.conversion import to_binary as sdk_to_binary
from cloudevents.conversion import to_structured as sdk_to_structured
from cloudevents.exceptions import GenericException
from cloudevents.http import CloudEvent, from_http

from eventing.event import CONTEXT, Event
from shared.errors import Malformed

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch"


def is_event(headers: Mapping[str, str]) -> bool:
    """Tell whether the headers announce a CloudEvent in either content mode, or a batch."""
    names = {name.lower() for name in headers}
    content_type = _content_type(headers)
    return content_type.startswith("application/cloudevents") or any(
        n.startswith("ce-") for n in names)


def decode(headers: Mapping[str, str], body: bytes) -> Event:
    """Return the event of an HTTP message in binary or structured mode.

    Absent required attributes other than `specversion` come back empty: `checked` names them.

    Raises:
        Malformed: a batch, an unknown content mode, a body that is not a JSON object, or a
            specversion that is missing or unknown.
    """
    content_type = _content_type(headers)
    if content_type.startswith(BATCH):
        raise Malformed("batched CloudEvents are not accepted: send one event per request")
    if content_type.startswith("application/cloudevents"):
        return _decode_structured(content_type, body)
    return _decode_binary({k.lower(): v for k, v in headers.items()}, body)


def encode_binary(event: Event) -> tuple[dict[str, str], bytes]:
    """Return headers and body of the event in binary mode; no data, no content type."""
    headers, body = sdk_to_binary(_to_sdk(event, event.data), data_marshaller=_unchanged)
    return {k: v for k, v in headers.items() if v is not None}, body or b""


def encode_structured(event: Event) -> tuple[dict[str, str], bytes]:
    """Return headers and body of the event in structured JSON mode."""
    data = _json_value(event)
    _, body = sdk_to_structured(_to_sdk(event, data))
    return {"content-type": STRUCTURED}, body


def _decode_binary(headers: Mapping[str, str], body: bytes) -> Event:
    if "ce-specversion" not in headers:
        raise Malformed("no CloudEvent: the header ce-specversion is missing")
    names = {n for n in headers if n.startswith("ce-")} | {"content-type"} & set(headers)
    missing = {f"ce-{n}": "" for n in ("id", "source", "type")}
    parsed = _parse({**missing, **{n: headers[n] for n in names}}, b"")
    return _from_sdk(parsed, body or None, timed="ce-time" in headers)


def _decode_structured(content_type: str, body: bytes) -> Event:
    try:
        document = json.loads(body)
    except ValueError as error:
        raise Malformed(f"structured CloudEvent is not JSON: {error}") from None
    if not isinstance(document, dict) or "specversion" not in document:
        raise Malformed("structured CloudEvent is not an object with a specversion")
    content = {n: document.pop(n) for n in ("data", "data_base64") if n in document}
    filled = {"id": "", "source": "", "type": "", **document}
    parsed = _parse({"content-type": content_type}, json.dumps(filled).encode())
    return _from_sdk(parsed, _data_bytes(content, document), timed="time" in document)


def _parse(headers: Mapping[str, str], body: bytes) -> CloudEvent:
    try:
        return from_http(headers, body, _unchanged)
    except GenericException as error:
        raise Malformed(str(error)) from error
    except (ValueError, TypeError, AttributeError) as error:
        raise Malformed(f"not a CloudEvent: {error}") from error


def _data_bytes(content: Mapping[str, Any], document: Mapping[str, Any]) -> bytes | None:
    if "data_base64" in content:
        try:
            return base64.b64decode(content["data_base64"], validate=True)
        except (ValueError, TypeError) as error:
            raise Malformed(f"data_base64 is not base64: {error}") from None
    if "data" not in content:
        return None
    data, declared = content["data"], str(document.get("datacontenttype") or "application/json")
    if isinstance(data, str) and "json" not in declared:
        return data.encode()
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def _json_value(event: Event) -> Any:
    if event.data is None:
        return None
    declared = event.datacontenttype or "application/json"
    if "json" in declared:
        return event.json()
    try:
        return event.data.decode() if declared.startswith("text/") else event.data
    except UnicodeDecodeError:
        return event.data


def _from_sdk(parsed: CloudEvent, data: bytes | None, *, timed: bool) -> Event:
    attributes = {k: _text(v) for k, v in parsed.get_attributes().items() if v is not None}
    if not timed:
        attributes.pop("time", None)  # the package invents one
    known = {k: attributes.pop(k) for k in CONTEXT if k in attributes}
    return Event(data=data, extensions=attributes, **known)


def _to_sdk(event: Event, data: Any) -> CloudEvent:
    known = {n: event.get(n) for n in CONTEXT if event.get(n) is not None}
    return CloudEvent.create({**known, "time": event.time, **event.extensions}, data)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _content_type(headers: Mapping[str, str]) -> str:
    return next((v for k, v in headers.items() if k.lower() == "content-type"), "").lower()


def _unchanged(value: Any) -> Any:
    return value
