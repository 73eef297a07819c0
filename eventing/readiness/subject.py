"""What is judged: an environment's rendered overlay, its Terraform, and the documents."""

import json
import re
from collections.abc import Container
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from eventing.images.closure import ROOT
from eventing.local.manifests.kustomize import objects
from eventing.policies.check import check
from eventing.policies.objects import (
    KNATIVE_SERVICE,
    Objects,
    Violation,
    annotations_of,
    name_of,
)
from shared.errors import NotFound

MIN_SCALE = "autoscaling.knative.dev/min-scale"
OVERLAY = re.compile(r'overlay\s*=\s*"[^"]*knative/overlays/([\w-]+|\$\{var\.overlay\})"')
CHOSEN = re.compile(r'variable "overlay" \{[^}]*?default\s*=\s*"([\w-]+)"', re.DOTALL)


@dataclass(frozen=True)
class Subject:
    """One environment, as its files say it."""

    name: str
    objects: Objects
    terraform: Path
    """The environment's folder of stacks."""

    root: Path = ROOT

    @classmethod
    def of(cls, name: str, root: Path = ROOT) -> "Subject":
        """Render the environment's overlay.

        Raises:
            NotFound: no environment has that name. NotRendered: kubectl cannot render it.
        """
        folder = root / "terraform" / "environments" / name
        main = folder / "apps" / "main.tf"
        found = OVERLAY.search(main.read_text()) if main.exists() else None
        if not found:
            known = sorted(p.parents[1].name for p in folder.parent.glob("*/apps/main.tf"))
            raise NotFound(f"no environment is called {name!r}: there are {', '.join(known)}")
        chosen = CHOSEN.search((folder / "apps" / "variables.tf").read_text())
        name_of_it = chosen[1] if found[1].startswith("$") and chosen else found[1]
        overlay = root / "knative" / "overlays" / name_of_it
        return cls(name, Objects(tuple(objects(overlay))), folder, root)

    @cached_property
    def services(self) -> dict[str, dict[str, Any]]:
        """Return the functions' Services by name."""
        return {name_of(s): s for s in self.objects.of(KNATIVE_SERVICE)}

    def violations(self, rules: Container[str]) -> list[Violation]:
        """Return what violates some rules of `eventing.policies`."""
        return [violation for violation in self._violations if violation.rule in rules]

    @cached_property
    def _violations(self) -> list[Violation]:
        return check(self.objects.documents)

    def min_scale(self, function: str) -> int:
        """Return how many processes of a function are always there."""
        service = self.services.get(function, {})
        return int(annotations_of(service).get(MIN_SCALE, "0"))

    def stack(self, name: str) -> str:
        """Return the text of a stack's Terraform files; empty when there is no such stack."""
        return "\n".join(f.read_text() for f in sorted((self.terraform / name).glob("*.tf")))

    def values(self, stack: str) -> dict[str, Any]:
        """Return the variables that a stack's files set."""
        found: dict[str, Any] = {}
        for file in sorted((self.terraform / stack).glob("*.auto.tfvars.json")):
            found |= json.loads(file.read_text())
        return found

    def alerts(self) -> list[dict[str, Any]]:
        """Return every alert rule."""
        return [rule for document in self.objects.of("monitoring.coreos.com/v1 PrometheusRule")
                for group in document["spec"]["groups"] for rule in group["rules"]
                if "alert" in rule]
