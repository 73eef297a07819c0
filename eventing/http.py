"""Reads and writes CloudEvents over HTTP (CloudEvents HTTP binding 1.0.2, sections 3.1 and 3.2).

The one home of the `cloudevents` package, which parses structured events; what it lets pass that a
broker would not, `eventing.event.checked` refuses. Binary mode, in which every event leaves and
comes, is written and read here, and what is exported by the million is written here too: it takes
a tenth of the package's time.
"""

import base64
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from cloudevents.exceptions import GenericException
from cloudevents.http import CloudEvent, from_http

from eventing.event import CONTEXT, Event
from shared.errors import Malformed

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch"
VERSIONS = ("1.0", "0.3")


def is_event(headers: Mapping[str, str]) -> bool:
    """Tell whether the headers announce a CloudEvent in either content mode, or a batch."""
    return any(_announces(name.lower(), value) for name, value in headers.items())


def _announces(name: str, value: str) -> bool:
    return name.startswith("ce-") or (
        name == "content-type" and value.lower().startswith("application/cloudevents"))


def decode(headers: Mapping[str, str], body: bytes) -> Event:
    """Return the event of an HTTP message in binary or structured mode.

    Absent required attributes other than `specversion` come back empty: `checked` names them.

    Raises:
        Malformed: a batch, an unknown content mode, a body that is not a JSON object, or a
            specversion that is missing or unknown.
    """
    told = {name.lower(): value for name, value in headers.items()}
    content_type = told.get("content-type", "").lower()
    if content_type.startswith(BATCH):
        raise Malformed("batched CloudEvents are not accepted: send one event per request")
    if content_type.startswith("application/cloudevents"):
        return _decode_structured(content_type, body)
    return _decode_binary(told, body)


def encode_binary(event: Event) -> tuple[dict[str, str], bytes]:
    """Return headers and body of the event in binary mode; no data, no content type."""
    told = {name: getattr(event, name) for name in CONTEXT if name != "datacontenttype"}
    headers = {f"ce-{name}": value for name, value in (told | dict(event.extensions)).items()
               if value is not None}
    if event.datacontenttype is not None:
        headers["content-type"] = event.datacontenttype
    return headers, event.data or b""


def encode_structured(event: Event) -> tuple[dict[str, str], bytes]:
    """Return headers and body of the event in structured JSON mode; the body is one line.

    Raises:
        Malformed: the data says that it is JSON and is not.
    """
    told = {name: value for name in CONTEXT if (value := getattr(event, name)) is not None}
    document = {**told, **event.extensions, **_data_member(event)}
    return {"content-type": STRUCTURED}, json.dumps(document).encode()


def _decode_binary(headers: Mapping[str, str], body: bytes) -> Event:
    attributes = {n.removeprefix("ce-"): v for n, v in headers.items() if n.startswith("ce-")}
    version = attributes.get("specversion")
    if version is None:
        raise Malformed("no CloudEvent: the header ce-specversion is missing")
    if version not in VERSIONS:
        raise Malformed(f"ce-specversion {version!r}: {' and '.join(VERSIONS)} are known")
    if "content-type" in headers:
        attributes["datacontenttype"] = headers["content-type"]
    filled = {"id": "", "source": "", "type": "", **attributes}
    known = {name: filled.pop(name) for name in CONTEXT if name in filled}
    return Event(data=body or None, extensions=filled, **known)


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


def _data_member(event: Event) -> dict[str, Any]:
    """Return the member that holds the data (CloudEvents JSON format 1.0.2, section 3.1)."""
    if event.data is None:
        return {}
    declared = event.datacontenttype or "application/json"
    if "json" in declared:
        return {"data": event.json()}
    if declared.startswith("text/"):
        with suppress(UnicodeDecodeError):
            return {"data": event.data.decode()}
    return {"data_base64": base64.b64encode(event.data).decode()}


def _from_sdk(parsed: CloudEvent, data: bytes | None, *, timed: bool) -> Event:
    attributes = {k: _text(v) for k, v in parsed.get_attributes().items() if v is not None}
    if not timed:
        attributes.pop("time", None)  # the package invents one
    known = {k: attributes.pop(k) for k in CONTEXT if k in attributes}
    return Event(data=data, extensions=attributes, **known)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _unchanged(value: Any) -> Any:
    return value
