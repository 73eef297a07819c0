"""Checks objects against the strict schemas of their kinds, without a cluster."""

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from eventing.local.options import ROOT

FOLDER = ROOT / "knative" / "schemas"
"""One file per origin: `kinds` (`apiVersion Kind` → definition) and `definitions`."""


def kind_of(document: Mapping[str, Any]) -> str:
    """Return `apiVersion Kind`, as schemas are filed."""
    return f"{document.get('apiVersion')} {document.get('kind')}"


def schema_faults(document: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield each field that its kind's schema refuses, and why; a kind without schema is a fault.

    Fields are checked as strictly as `kubectl apply --validate=strict` does: an unknown one is
    named, where an API server would drop it.
    """
    validators = _validators()
    kind = kind_of(document)
    if kind not in validators:
        yield ("kind",), f"no schema of {kind} in knative/schemas"
        return
    for error in sorted(validators[kind].iter_errors(document), key=_place):
        yield from _told(error)


def _place(error: Any) -> list[str]:
    return [str(part) for part in error.absolute_path]


def _told(error: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    path = tuple(error.absolute_path)
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        for name in error.instance:
            if name not in known:
                yield (*path, name), "the field is unknown to its kind; an API server drops it"
        return
    yield path, str(error.message)


@cache
def _validators() -> dict[str, Any]:
    from jsonschema import Draft7Validator  # slow to import, and a plain start needs none

    files = [json.loads(file.read_text()) for file in sorted(FOLDER.glob("*.json"))]
    definitions = {name: schema for file in files for name, schema in file["definitions"].items()}
    return {kind: Draft7Validator({"$ref": f"#/definitions/{name}", "definitions": definitions})
            for kind, name in _kinds(files)}


def _kinds(files: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for file in files:
        yield from file["kinds"].items()
