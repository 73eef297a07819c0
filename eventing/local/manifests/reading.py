"""Reads every YAML document of a folder; several faults are reported at once, each by name."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from eventing.local.manifests.eventing_kinds import Broker, PingSource, Trigger
from eventing.local.manifests.fields import NoEffect
from eventing.local.manifests.kustomize import is_plain, rendered
from eventing.local.manifests.left_out import LeftOut
from eventing.local.manifests.plain_kinds import ConfigMap, Namespace, Secret
from eventing.local.manifests.serving_kinds import Service
from eventing.policies.schemas import schema_faults
from shared.errors import Permanent

FILES_MAX = 1000
Object = Namespace | ConfigMap | Secret | Broker | Trigger | Service | PingSource | LeftOut
KINDS: dict[tuple[str, str], type[Object]] = {
    ("v1", "Namespace"): Namespace,
    ("v1", "ConfigMap"): ConfigMap,
    ("v1", "Secret"): Secret,
    ("eventing.knative.dev/v1", "Broker"): Broker,
    ("eventing.knative.dev/v1", "Trigger"): Trigger,
    ("serving.knative.dev/v1", "Service"): Service,
    ("sources.knative.dev/v1", "PingSource"): PingSource,
}
Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The parser in C where the package was built with it."""

FieldPath = tuple[str | int, ...]


class Refused(Permanent):
    """Manifests that Knative would refuse, or that need what is not implemented here."""

    title = "Manifests refused"

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Source:
    """One object and where it was written."""

    value: Object
    file: Path
    node: yaml.Node

    @property
    def namespace(self) -> str:
        """The object's namespace; `default` when it names none."""
        return self.value.metadata.namespace or "default"

    @property
    def name(self) -> str:
        """The object's name."""
        return self.value.metadata.name

    def fault(self, path: FieldPath, message: str) -> str:
        """Return `file:line: field: message`."""
        return fault(self.file, self.node, path, message)


def read(folder: Path) -> list[Source]:
    """Return the objects of a folder: of the files below it, or of the overlay that it is.

    A fault in an overlay is named by its object, and by the line that it has in there.

    Raises:
        Refused: a file is no YAML, a kind is not implemented, or a field is unknown or wrong.
        NotRendered: the folder is an overlay that kustomize does not render.
    """
    faults: list[str] = []
    texts = ((f, f.read_text()) for f in _files(folder)) if is_plain(folder) else _parts(folder)
    found = [s for file, text in texts for s in _read_text(file, text, faults)]
    if not found and not faults:
        faults.append(f"{folder}: holds no manifests")
    if faults:
        raise Refused(faults)
    return found


def fault(file: Path, node: yaml.Node, path: FieldPath, message: str) -> str:
    """Return `file:line: field: message`, with the line of the deepest part that exists."""
    line = _line(node, path)
    field = ".".join(str(part) for part in path) or "document"
    return f"{file}:{line}: {field}: {message}"


def _files(folder: Path) -> Iterator[Path]:
    files = sorted(f for f in folder.rglob("*") if f.suffix in (".yaml", ".yml"))
    if len(files) > FILES_MAX:
        raise Refused([f"{folder}: {len(files)} files; at most {FILES_MAX}"])
    return (f for f in files if f.stem != "kustomization")


def _parts(folder: Path) -> Iterator[tuple[Path, str]]:
    for text in rendered(folder).split("\n---\n"):
        found = dict(re.findall(r"^(kind|  name): (.*)$", text, re.MULTILINE)[::-1])
        yield folder / f"{found.get('kind')} {found.get('  name')}", text


def _read_text(file: Path, text: str, faults: list[str]) -> Iterator[Source]:
    loader = Loader(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            document = loader.construct_document(node)
            if document is not None and (source := _object(file, node, document, faults)):
                yield source
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        faults.append(f"{file}:{line}: document: no YAML: {getattr(error, 'problem', error)}")
    finally:
        loader.dispose()


def _object(file: Path, node: yaml.Node, document: Any, faults: list[str]) -> Source | None:
    if repeated := list(_repeated(node, ())):
        faults.extend(fault(file, node, path, "is written twice") for path in repeated)
        return None
    if not isinstance(document, dict):
        faults.append(fault(file, node, (), "is no object"))
        return None
    model = LeftOut if LeftOut.fits(document) else KINDS.get(
        (str(document.get("apiVersion")), str(document.get("kind"))))
    if model is None:
        faults.append(fault(file, node, ("kind",), f"{document.get('apiVersion')} "
                            f"{document.get('kind')} is not implemented"))
        return None
    try:
        source = Source(model.model_validate(document), file, node)
    except ValidationError as error:
        faults.extend(_faults(file, node, error))
        return None
    # What the models pass on as it is, or leave out, has fields of its own.
    faults.extend(source.fault(*found) for found in schema_faults(document))
    return source


def _faults(file: Path, node: yaml.Node, error: ValidationError) -> Iterator[str]:
    for one in error.errors(include_url=False, include_context=False, include_input=False):
        message = one["msg"].removeprefix("Value error, ")
        if one["type"] == "extra_forbidden":
            message = "field is unknown or not implemented by the embedded runtime"
        yield fault(file, node, one["loc"], message)


def _line(node: yaml.Node, path: FieldPath) -> int:
    line = node.start_mark.line
    for part in path:
        step = _step(node, part)
        if step is None:
            break
        line, node = step
    return line + 1


def _step(node: yaml.Node, part: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == part:
                return key.start_mark.line, value
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part].start_mark.line, node.value[part]
    return None


def _repeated(node: yaml.Node, path: FieldPath) -> Iterator[FieldPath]:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                yield (*path, key.value)
            seen.add(key.value)
            yield from _repeated(value, (*path, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _repeated(item, (*path, index))


def without_effect(value: BaseModel, path: str = "") -> Iterator[str]:
    """Yield the field paths that were set and only matter on a cluster."""
    for name in value.model_fields_set:
        field, item = type(value).model_fields[name], getattr(value, name)
        where = f"{path}.{field.alias}" if path else str(field.alias)
        if NoEffect in field.metadata:
            yield where
            continue
        for index, child in enumerate(item if isinstance(item, list) else [item]):
            if isinstance(child, BaseModel):
                yield from without_effect(child, f"{where}.{index}" if isinstance(item, list)
                                          else where)
