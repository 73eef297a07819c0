"""Makes ids from their causes, so that a redelivery re-creates the same ones."""

import hashlib
import json
from typing import Any
from uuid import UUID, uuid5

NAMESPACE = UUID("6f1d0f0e-7a53-5d0a-9c46-0a1f5d6e8b11")
"""The root of every derived id; changing it would make redeliveries look new."""


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
"""Made once: `json.dumps` would make one at each call."""


def derived(*causes: object) -> str:
    """Return the uuid5 of the causes, whose texts are joined unambiguously."""
    return str(uuid5(NAMESPACE, json.dumps([str(cause) for cause in causes])))


def canonical(value: Any) -> str:
    """Return `value` as JSON with sorted keys and no spaces: equal values, equal texts."""
    return _ENCODER.encode(value)


def digest(value: Any) -> str:
    """Return the SHA-256, in hex, of the canonical JSON of `value`."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()
