"""Keeps a whole event in few bytes: deflated against a dictionary of what such events look like.

A packed event is one byte of format version, then raw deflate (RFC 1951) of the attributes as
JSON, a newline, the data as it came. An event of 2 KiB takes some 0.3 KiB.
"""

import json
import zlib
from pathlib import Path

from eventing.event import JSON, Event
from shared.errors import Transient

VERSION = 1
_DICTIONARY = (Path(__file__).parent / "dictionary_v1.txt").read_bytes()
"""Part of the format: another text needs another version."""

_DROPPED = ("grant", "knativekafkapartition", "knativekafkaoffset")
"""Says where a delivery came from, or lets its holder spend: nothing to keep."""

_ENCODED = json.JSONEncoder(separators=(",", ":")).encode


class UnknownFormat(Transient):
    """The event was packed by a later release: another instance can read it."""

    title = "Stored event is newer"


def pack(event: Event) -> bytes:
    """Return the event as it is kept."""
    kept = {k: v for k, v in sorted(event.extensions.items()) if k not in _DROPPED}
    head = {"id": event.id, "source": event.source, "type": event.type, "subject": event.subject,
            "time": event.time, **kept}
    text = _ENCODED(head).encode() + b"\n" + (event.data or b"")
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15, zdict=_DICTIONARY)
    return bytes([VERSION]) + deflate.compress(text) + deflate.flush()


def unpack(packed: bytes) -> Event:
    """Return the event that `pack` was given, without what it drops.

    Raises:
        UnknownFormat: this release does not know the format.
    """
    if packed[0] != VERSION:
        raise UnknownFormat(f"a stored event has format {packed[0]}, {VERSION} is known")
    inflate = zlib.decompressobj(-15, zdict=_DICTIONARY)
    text = inflate.decompress(packed[1:]) + inflate.flush()
    head, _, data = text.partition(b"\n")
    known = json.loads(head.decode())
    own = {name: known.pop(name) for name in ("id", "source", "type", "subject", "time")}
    return Event(**own, extensions=known, data=data, datacontenttype=JSON)
