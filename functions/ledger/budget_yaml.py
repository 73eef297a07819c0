"""Reads YAML into plain texts, lists and mappings, and remembers on which line each stood."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from pydantic import ValidationError

from shared.errors import Malformed
from shared.limits import BUDGET_FILE_BYTES_MAX

Path = tuple[str | int, ...]
Lines = Mapping[Path, int]
NODES_MAX = 100_000
DEPTH_MAX = 12
"""Deeper than the format goes; a text that refers to itself has no end."""


class Faults(Malformed):
    """The text is malformed; `errors` holds path and message of each fault."""

    title = "Malformed budgets"

    def __init__(self, faults: Sequence[tuple[Path, str]], lines: Lines) -> None:
        errors = [{"path": f"line {line_of(path, lines)}, {spelled(path)}", "message": message}
                  for path, message in faults]
        first = errors[0]
        super().__init__(f"{first['path']}: {first['message']}", errors=errors)


def parse(text: str) -> tuple[Any, Lines]:
    """Return the document, every scalar as it is written, and the line of each of its nodes.

    Raises:
        Faults: it is no YAML, is too large, refers to itself, or names a key twice.
    """
    if len(text.encode()) > BUDGET_FILE_BYTES_MAX:
        raise Faults([((), f"more than {BUDGET_FILE_BYTES_MAX} bytes")], {(): 1})
    try:
        root = yaml.compose(text, yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise Faults([((), f"no YAML: {error.problem}")], {(): line}) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise Faults([((), f"no YAML: {error}")], {(): 1}) from error
    if root is None:
        raise Faults([((), "the text is empty")], {(): 1})
    lines: dict[Path, int] = {}
    return _value(root, (), lines), lines


def _value(node: yaml.Node, path: Path, lines: dict[Path, int]) -> Any:
    lines[path] = node.start_mark.line + 1
    if len(lines) > NODES_MAX or len(path) > DEPTH_MAX:
        raise Faults([(path, "too many values, or values inside themselves")], lines)
    match node:
        case yaml.MappingNode():
            return _mapping(node, path, lines)
        case yaml.SequenceNode():
            return [_value(each, (*path, at), lines) for at, each in enumerate(node.value)]
    return node.value


def _mapping(node: yaml.MappingNode, path: Path, lines: dict[Path, int]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise Faults([(path, "a key that is no text")], lines)
        inner = (*path, key.value)
        if key.value in found:
            raise Faults([(inner, "stands here twice")], {inner: key.start_mark.line + 1})
        found[key.value] = _value(value, inner, lines)
        lines[inner] = key.start_mark.line + 1
    return found


def located(error: ValidationError, lines: Lines) -> Faults:
    """Return a validation's errors with the lines they are about."""
    return Faults([(_cut(fault["loc"], lines), _told(fault)) for fault in error.errors()], lines)


def _cut(place: Path, lines: Lines) -> Path:
    """Return the place up to where the text has something, and the field that is missing there."""
    for length in range(len(place), 0, -1):
        if place[:length - 1] in lines:
            return place[:length]
    return place


def _told(fault: Mapping[str, Any]) -> str:
    if fault["type"] in ("model_type", "dict_type"):
        return f"Input should be names with values, not {fault['input']!r:.40}"
    message = str(fault["msg"]).removeprefix("Value error, ")
    given = fault.get("input")
    return f"{message}, not {given!r}" if isinstance(given, str) and given else message


def line_of(path: Path, lines: Lines) -> int:
    """Return the line of a path, or of the nearest thing around it."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def spelled(path: Path) -> str:
    """Return a path as people write it: `tenants.acme.budgets[1].usd`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".") or "the document"
