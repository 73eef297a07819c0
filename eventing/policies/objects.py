"""The objects of a rendered environment, as rules ask for them, and what rules find."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from eventing.policies.schemas import kind_of

Document = dict[str, Any]
KNATIVE_SERVICE = "serving.knative.dev/v1 Service"
BROKER = "eventing.knative.dev/v1 Broker"
TRIGGER = "eventing.knative.dev/v1 Trigger"
WORKLOADS = (KNATIVE_SERVICE, "apps/v1 StatefulSet", "apps/v1 Deployment")
SHARED = frozenset({"staging", "prod"})
"""Values of TOLLGATE_ENV whose environments are everybody's."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that may not be as it is."""

    rule: str
    object: str
    field: str
    todo: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.object}: {self.field}: {self.todo}"


Found = Iterator[tuple[Document, str, str]]
"""What a rule yields: the object, the field, what to do."""


@dataclass(frozen=True)
class Objects:
    """All objects of an environment."""

    documents: tuple[Document, ...]

    def of(self, *kinds: str) -> Iterator[Document]:
        """Yield the objects of some kinds, each `apiVersion Kind`."""
        return (d for d in self.documents if kind_of(d) in kinds)

    def named(self, kind: str, name: str) -> Document | None:
        """Return an object, if it is there."""
        return next((d for d in self.of(kind) if name_of(d) == name), None)

    @cached_property
    def settings(self) -> Mapping[str, str]:
        """Return the data of the ConfigMap `tollgate`."""
        found = self.named("v1 ConfigMap", "tollgate")
        return found.get("data", {}) if found else {}

    @property
    def is_shared(self) -> bool:
        """Tell whether more than its developer depends on the environment."""
        return self.settings.get("TOLLGATE_ENV") in SHARED


def name_of(document: Mapping[str, Any]) -> str:
    """Return an object's name."""
    return str(document.get("metadata", {}).get("name"))


def title_of(document: Mapping[str, Any]) -> str:
    """Return `Kind name`."""
    return f"{document.get('kind')} {name_of(document)}"


def template_of(document: Mapping[str, Any]) -> Document:
    """Return a workload's pod template."""
    found: Document = document.get("spec", {}).get("template", {})
    return found


def pod_of(document: Mapping[str, Any]) -> Document:
    """Return a workload's pod specification."""
    found: Document = template_of(document).get("spec", {})
    return found


def containers_of(document: Mapping[str, Any]) -> Iterator[tuple[str, Document]]:
    """Yield each container of a workload with its field path."""
    for part in ("initContainers", "containers"):
        for index, container in enumerate(pod_of(document).get(part, ())):
            yield f"spec.template.spec.{part}.{index}", container


def workload_containers(objects: Objects) -> Iterator[tuple[Document, str, Document]]:
    """Yield each container of each workload: the workload, the field path, the container."""
    for workload in objects.of(*WORKLOADS):
        yield from ((workload, path, container) for path, container in containers_of(workload))


def variables_of(objects: Objects) -> Iterator[tuple[Document, str, Document]]:
    """Yield each environment variable of each workload: the workload, the field path, it."""
    for workload, path, container in workload_containers(objects):
        for variable in container.get("env") or ():
            yield workload, f"{path}.env.{variable['name']}", variable


def annotations_of(document: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the annotations of a workload's pods."""
    return template_of(document).get("metadata", {}).get("annotations") or {}
