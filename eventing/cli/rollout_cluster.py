"""Reads and patches Knative Services with the operator's own kubectl (ADR 0024).

`functions/rollouts/cluster.py` does the same inside the cluster; one suite of tests holds for both.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eventing.cli.exits import Exit, Failure
from eventing.cli.options import environment
from eventing.environments.kubectl import Answer, Unanswered, run
from shared.errors import Busy
from shared.rollouts.moves import Patch

SERVICES = "services.serving.knative.dev"
REVISIONS = "revisions.serving.knative.dev"
OF_SERVICE = "serving.knative.dev/service"
GENERATION = "serving.knative.dev/configurationGeneration"


@dataclass(frozen=True, slots=True)
class Cluster:
    """The Knative Services of one namespace."""

    namespace: str
    kubeconfig: str | None = None

    def service(self, name: str) -> dict[str, Any]:
        """Return a Service.

        Raises:
            Failure: there is none, or the cluster does not answer; with what to do.
        """
        return self._asked(["get", SERVICES, name, "-o", "json"], name)

    def services(self) -> list[dict[str, Any]]:
        """Return all Services."""
        return list(self._asked(["get", SERVICES, "-o", "json"])["items"])

    def patch(self, name: str, patch: Patch) -> dict[str, Any]:
        """Return the Service after a patch.

        Raises:
            Busy: it was changed since it was read, and nothing has happened.
            Failure: as `service`.
        """
        return self._asked(["patch", SERVICES, name, "--type", "merge", "-o", "json",
                            "-p", json.dumps(patch)], name)

    def revision(self, name: str) -> dict[str, Any]:
        """Return a revision."""
        return self._asked(["get", REVISIONS, name, "-o", "json"], name)

    def revisions(self, service: str) -> list[str]:
        """Return the names of a Service's revisions, the oldest first."""
        found = self._asked(["get", REVISIONS, "-l", f"{OF_SERVICE}={service}", "-o", "json"])
        by_age = sorted(found["items"],
                        key=lambda r: int(r["metadata"]["labels"].get(GENERATION, 0)))
        return [str(r["metadata"]["name"]) for r in by_age]

    def _asked(self, args: Sequence[str], name: str = "") -> dict[str, Any]:
        try:
            answer = run(["-n", self.namespace, *args], environment(self.kubeconfig))
        except Unanswered as error:
            raise Failure(Exit.UNREACHABLE, str(error), where=self.namespace) from error
        if answer.code:
            raise self._failure(answer, name)
        return dict(json.loads(answer.out))

    def _failure(self, answer: Answer, name: str) -> Failure | Busy:
        said = answer.errors or answer.out
        where = f"namespace {self.namespace}"
        if "(Conflict)" in said or "object has been modified" in said:
            return Busy(said)
        if "(NotFound)" in said:
            return Failure(Exit.USAGE, f"there is no {name} in namespace {self.namespace}",
                           where=where, do="list what is there: kubectl get ksvc,revisions -n "
                           f"{self.namespace}; --namespace names another")
        if "(Forbidden)" in said:
            return Failure(Exit.DENIED, said, where=where, do="a role that may get, list and "
                           f"patch {SERVICES} and get {REVISIONS} is needed")
        if "have a resource type" in said:
            return Failure(Exit.USAGE, said, where=where,
                           do="install Knative Serving, or name another cluster: --kubeconfig")
        if "admission webhook" in said or "(BadRequest)" in said or "(Invalid)" in said:
            return Failure(Exit.USAGE, said, where=where)
        return Failure(Exit.UNREACHABLE, said, where=where,
                       do="kubectl cluster-info says whether the cluster answers")
