"""The published JSON Schema of each event type's data, generated from its class."""

import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from eventing.types import TASK_TYPES
from eventing.types_ledger import LEDGER_TYPES
from eventing.types_rollout import ROLLOUT_TYPES
from eventing.types_stop import STOP_TYPES

FOLDER = Path(__file__).parent
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> Iterator[tuple[str, str]]:
    """Yield each event type with the text of its schema, as it should be published."""
    payloads: tuple[type[BaseModel], ...] = (
        *TASK_TYPES, *LEDGER_TYPES, *ROLLOUT_TYPES, *STOP_TYPES)
    for payload in payloads:
        kind = str(vars(payload)["TYPE"])
        schema = {"$schema": DIALECT, "$id": f"urn:{kind}", **payload.model_json_schema()}
        yield kind, json.dumps(schema, indent=2, sort_keys=True) + "\n"


def file_of(kind: str) -> Path:
    """Return where the schema of an event type is published."""
    return FOLDER / f"{kind}.json"


def changed() -> list[str]:
    """Return the types whose published schema is not what their class says."""
    return [kind for kind, text in schemas()
            if file_of(kind).exists() and file_of(kind).read_text() != text]
