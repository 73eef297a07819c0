"""Events in both content modes, as raw HTTP messages."""

import json
from dataclasses import dataclass
from typing import Any

MINIMAL = {"specversion": "1.0", "type": "com.example.MinimalEvent", "id": "minimal-event",
           "source": "/conformance"}
FULL = {"specversion": "1.0", "type": "com.example.FullEvent", "id": "full-event",
        "source": "/conformance", "subject": "topic", "time": "2020-03-21T12:34:56.78Z",
        "dataschema": "http://example.com/schema", "datacontenttype": "text/json",
        "exbool": True, "exint": 42, "exstring": "texts", "exurl": "http://example.com/x",
        "extime": "2020-03-21T12:34:56.78Z"}
HELLO = '"hello"'


@dataclass(frozen=True)
class Sent:
    headers: dict[str, str]
    body: bytes


def binary(attributes: dict[str, Any], data: str | None = None) -> Sent:
    headers = {f"ce-{name}": text(value) for name, value in attributes.items()
               if name != "datacontenttype"}
    if "datacontenttype" in attributes:
        headers["content-type"] = attributes["datacontenttype"]
    return Sent(headers, (data or "").encode())


def structured(attributes: dict[str, Any], data: str | None = None) -> Sent:
    document = dict(attributes) | ({} if data is None else {"data": json.loads(data)})
    return Sent({"content-type": "application/cloudevents+json"}, json.dumps(document).encode())


def event(
        type: str = "com.example.Plain", id: str = "one",  # noqa: A002
        **attributes: Any) -> Sent:
    return binary({**MINIMAL, "type": type, "id": id, **attributes})


def text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
