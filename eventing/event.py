"""A CloudEvent as a frozen value (CloudEvents 1.0.2, section 3)."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, Self

from pydantic import BaseModel

from shared.errors import Malformed

JSON = "application/json"
NAME = re.compile(r"[a-z0-9]{1,64}\Z")
"""Attribute names: lower-case letters and digits (CloudEvents 1.0.2, 3.1)."""

NO_URI = re.compile(r"[\s<>\"{}|\\^`]|%(?![0-9a-fA-F]{2})")
"""What no URI reference holds (RFC 3986, section 2)."""

NUMBER_DIGITS_MAX = 18
"""Of an extension that is a number: more than any counter of ours comes to."""

TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)\Z")
"""RFC 3339, section 5.6."""

BELOW_MICROS = re.compile(r"(\.\d{6})\d+")

CONTEXT = ("specversion", "id", "source", "type", "subject", "time", "datacontenttype",
           "dataschema")
"""Attributes that are no extensions."""

NOT_COPIED = frozenset({"nudge", "redrives", "hops", "knativeerrordest", "knativeerrorcode",
                        "knativeerrordata", "knativekafkapartition", "knativekafkaoffset"})
"""Extensions of one delivery, which its outcome does not carry."""


@dataclass(frozen=True, slots=True)
class Event:
    """One CloudEvent; `data` is the body exactly as sent, extensions are texts."""

    id: str
    source: str
    type: str
    data: bytes | None = None
    datacontenttype: str | None = None
    subject: str | None = None
    time: str | None = None
    """RFC 3339."""
    dataschema: str | None = None
    specversion: str = "1.0"
    extensions: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, payload: BaseModel, *, type: str, id: str, source: str,  # noqa: A002
           subject: str | None = None, time: str | None = None, **extensions: str | int | None,
           ) -> Self:
        """Make a JSON event of a pydantic value; extensions that are `None` are left out."""
        return cls(
            id=id, source=source, type=type, subject=subject, time=time, datacontenttype=JSON,
            data=payload.model_dump_json().encode(),
            extensions={k: str(v) for k, v in extensions.items() if v is not None},
        )

    def get(self, name: str) -> str | None:
        """Return the attribute or extension of that name, or `None`."""
        return getattr(self, name) if name in CONTEXT else self.extensions.get(name)

    def number(self, name: str) -> int:
        """Return an integer extension; absent is 0.

        Raises:
            Malformed: the value is not a decimal integer.
        """
        text = self.extensions.get(name, "0")
        if not text.isdecimal() or len(text) > NUMBER_DIGITS_MAX:
            raise Malformed(f"extension {name} is {text[:80]!r}: a whole number is needed")
        return int(text)

    def json(self) -> Any:
        """Return the data parsed as JSON.

        Raises:
            Malformed: there is no data or it is not JSON.
        """
        try:
            return json.loads(self.data or b"")
        except ValueError as error:
            raise Malformed(f"data of event {self.id} ({self.type}) is not JSON: {error}") from None

    def extended(self, **extensions: str | int | None) -> Self:
        """Return the event with extensions set, or removed where the value is `None`."""
        merged = {**self.extensions, **{k: str(v) for k, v in extensions.items() if v is not None}}
        for name in (k for k, v in extensions.items() if v is None):
            merged.pop(name, None)
        return replace(self, extensions=merged)


def is_printable(text: str) -> bool:
    """Tell whether an attribute may hold it on a Kafka-class broker, which mangles the rest."""
    return text.isascii() and text.isprintable()


def checked(event: Event) -> Event:
    """Return the event if a Kafka-class broker accepts and can deliver it.

    Raises:
        Malformed: a required attribute is missing, or an attribute has a form that the broker
            refuses or cannot deliver (CloudEvents 1.0.2, 3.1; ADR 0003).
    """
    faults = [*_missing(event), *_bad_names(event), *_bad_values(event)]
    if faults:
        raise Malformed("; ".join(faults))
    return event


def _missing(event: Event) -> list[str]:
    return [f"attribute {n} is missing" for n in ("id", "source", "type") if not event.get(n)]


def _bad_names(event: Event) -> list[str]:
    return [f"extension name {n!r}: only a-z and 0-9" for n in event.extensions
            if not _is_name(n)]


@lru_cache(maxsize=256)
def _is_name(text: str) -> bool:
    """Few names are ever used, on every event."""
    return NAME.match(text) is not None


def _bad_values(event: Event) -> list[str]:
    texts = {n: getattr(event, n) or "" for n in CONTEXT} | dict(event.extensions)
    faults = [] if is_printable("".join(texts.values())) else [
        f"attribute {n} holds characters outside printable ASCII: put people's text in data"
        for n, text in texts.items() if not is_printable(text)]
    if event.specversion not in ("1.0", "0.3"):
        faults.append(f"specversion {event.specversion!r}: 1.0 is supported")
    if event.time is not None and not _is_rfc3339(event.time):
        faults.append(f"time {event.time!r} is not RFC 3339")
    return faults + [f"attribute {n} is not a URI reference: {event.get(n)!r}"
                     for n in ("source", "dataschema") if NO_URI.search(texts[n])]


def _is_rfc3339(text: str) -> bool:
    if not TIME.match(text):
        return False
    trimmed = BELOW_MICROS.sub(r"\1", text.upper())
    try:
        datetime.fromisoformat(trimmed)
    except ValueError:
        return False
    return True
