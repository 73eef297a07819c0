"""Runs the real Terraform on copies of the roots of the environment `local`."""

import contextlib
import json
import os
import shutil
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path

from eventing.environments import live, strict
from eventing.environments.manifests import of_plan, of_state
from tests.kafka import kubectl

PROJECT = Path(__file__).resolve().parents[3]
BASES = ("broker", "calculator", "notify", "kustomization.yaml")
SMALL = """
- {op: add, path: /spec/template/spec/containers/0/imagePullPolicy, value: Never}
- {op: replace, path: /spec/template/spec/containers/0/resources/requests/cpu, value: 1m}
- {op: replace, path: /spec/template/spec/containers/0/resources/requests/memory, value: 8Mi}
- {op: replace, path: /spec/template/spec/timeoutSeconds, value: 10}
"""
"""Their images are nowhere: pods that never start must cost nothing and go away quickly."""

OVERLAY = {
    "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization",
    "resources": ["../../base/broker", "../../base/calculator", "../../base/notify"],
    "components": ["../../components/memory-broker"],
    "patches": [{"patch": SMALL, "target": {"group": "serving.knative.dev", "kind": "Service"}}],
}

PROVIDED = """
terraform {
  required_providers {
    kustomization = { source = "kbst/kustomization" }
  }
}
provider "kustomization" {
  kubeconfig_path = var.kubeconfig_path
}
variable "kubeconfig_path" { type = string }
"""


def cluster_environ():
    """Return the environment variables of the cluster under test."""
    kubeconfig = os.environ.get("KUBECONFIG")
    assert kubeconfig, "set KUBECONFIG to a cluster with Knative Serving and Eventing"
    return {**os.environ, "TF_VAR_kubeconfig_path": kubeconfig.split(os.pathsep)[0],
            "TF_IN_AUTOMATION": "1", "TF_CLI_ARGS": "-no-color"}


@dataclass
class Done:
    code: int
    out: str
    err: str

    @property
    def said(self):
        """Everything, on one line: Terraform breaks lines wherever it likes."""
        return " ".join((self.out + " " + self.err).split())


def terraform(root, environ, *args):
    done = subprocess.run(["terraform", f"-chdir={root}", *args], env=environ, timeout=400,
                          capture_output=True, text=True, check=False)
    return Done(done.returncode, done.stdout, done.stderr)


def own_root(folder, environ, text):
    """Make a root of one's own, as an operator's outside the project, and initialise it."""
    (folder / "main.tf").write_text(PROVIDED + text.format(project=PROJECT))
    done = terraform(folder, environ, "init")
    assert done.code == 0, done.err


class Environment:
    """Copies of the roots and modules, and an overlay that a test may edit."""

    def __init__(self, folder, environ):
        self.folder, self.name = folder, self.new_name()
        self.environ = {**environ, "TF_VAR_namespace": self.name, "TF_VAR_overlay": "small",
                        "TF_VAR_wait": "false"}
        shutil.copytree(PROJECT / "terraform", folder / "terraform",
                        ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
        for part in ("base", "components"):
            shutil.copytree(PROJECT / "knative" / part, folder / "knative" / part)
        self.overlay = folder / "knative" / "overlays" / "small"
        self.overlay.mkdir(parents=True)
        self.write_overlay(OVERLAY)

    @staticmethod
    def new_name():
        return f"c2-{uuid.uuid4().hex[:8]}"

    def root(self, stack):
        return self.folder / "terraform" / "environments" / "local" / stack

    def write_overlay(self, kustomization):
        (self.overlay / "kustomization.yaml").write_text(json.dumps(kustomization))

    def manifest(self, path):
        return self.folder / "knative" / "base" / path

    @contextlib.contextmanager
    def edits(self):
        before = self.folder / "before"
        shutil.copytree(self.folder / "knative", before)
        try:
            yield
        finally:
            shutil.rmtree(self.folder / "knative")
            before.rename(self.folder / "knative")
            self.apply("apps")

    def run(self, stack, *args, **variables):
        environ = {**self.environ, **{f"TF_VAR_{k}": v for k, v in variables.items()}}
        if not (self.root(stack) / ".terraform").exists():
            done = terraform(self.root(stack), environ, "init", "-input=false")
            assert done.code == 0, done.err
        return terraform(self.root(stack), environ, *args)

    def try_apply(self, stack, **variables):
        return self.run(stack, "apply", "-auto-approve", "-input=false", **variables)

    def apply(self, stack, **variables):
        done = self.try_apply(stack, **variables)
        assert done.code == 0, done.err
        return done

    def changes(self, stack, **variables):
        """Return what a plan would do: address in the cluster to action."""
        plan = self._planned(stack, **variables)
        return {change["index"]: "/".join(change["change"]["actions"])
                for change in plan["resource_changes"] if change["change"]["actions"] != ["no-op"]
                and change["change"]["actions"] != ["read"]}

    def faults(self):
        """Return what `make plan` would say of the manifests of the next apply of `apps`."""
        return strict.faults([*of_plan(self._planned("apps"))], self.environ)

    def drift(self):
        """Return what `make drift` would say of the objects of `apps`."""
        state = json.loads(self.run("apps", "state", "pull").out)
        return live.drift([*of_state(state)], self.environ)

    def _planned(self, stack, **variables):
        file = str(self.folder / "plan")
        done = self.run(stack, "plan", "-input=false", f"-out={file}", **variables)
        assert done.code == 0, done.err
        return json.loads(self.run(stack, "show", "-json", file).out)

    def get(self, kind, name):
        return json.loads(kubectl.ask("-n", self.name, "get", kind, name, "-o", "json"))

    def patch(self, kind, name, patch):
        kubectl.ask("-n", self.name, "patch", kind, name, "--type=merge",
                "-p", json.dumps(patch))

    def destroy(self):
        for stack in ("apps", "messaging"):
            done = self.run(stack, "destroy", "-auto-approve", "-input=false")
            assert done.code == 0, done.err
