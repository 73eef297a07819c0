"""A copy of terraform/ and knative/ with an overlay for tests, applied as `make apply` does."""

import json
import os
import shutil
import subprocess
import sys

import yaml

from eventing.cli.demo_system import EXAMPLES
from eventing.local.options import ROOT
from tests.kafka import kubectl
from tests.storage import CREDENTIALS

NAMESPACE = "tollgate"
OVERLAY = "tested"
MOUNT = "/etc/tollgate/examples"
SILENCE_S = 30
"""The watchdog asks once a minute: what a crash lost goes on within a minute and a half."""

READY_S = 170
"""Every function starts once before it is Ready, all of them at the same time."""

SCENES = ("^plain", "^errand", "^slow")
SETTINGS = {"READER_ROOT": MOUNT, "TOLLGATE_SCRIPT": f"{MOUNT}/script.yaml",
            "NOTIFY_ALLOW_PRIVATE": "true", "TOLLGATE_STEP_SILENCE_S": str(SILENCE_S)}
READS_EXAMPLES = ("reader", "researcher")


class Workspace:
    """The environment `local` in a folder of its own: its state is not the developer's."""

    def __init__(self, folder, storage):
        self.folder, self.storage = folder, storage
        self.images = {}

    def write(self):
        """Copy what is applied, and add the overlay `tested`."""
        for name in ("terraform", "knative"):
            shutil.copytree(ROOT / name, self.folder / name, dirs_exist_ok=True,
                            ignore=shutil.ignore_patterns(".terraform", "*.tfstate*", "*.lock.hcl"))
        overlay = self.folder / "knative" / "overlays" / OVERLAY
        overlay.mkdir(exist_ok=True)
        for name, document in overlay_files(self.storage.settings).items():
            (overlay / name).write_text(yaml.safe_dump(document, sort_keys=False))

    def make(self, api_keys):
        """Apply everything; the Secrets are made between the stacks."""
        self.apply("messaging")
        file = self.folder / "api-keys.json"
        file.write_text(json.dumps(api_keys))
        _run("-m", "eventing.cli.main", "secrets", "make", "--namespace", NAMESPACE,
             "--api-keys", str(file))
        self.apply("apps")

    def wait(self):
        """Return when everything is Ready."""
        for kind in ("ksvc", "broker", "trigger", "pingsource", "pod/redis-0"):
            names = [kind] if "/" in kind else [kind, "--all"]
            kubectl.ask("-n", NAMESPACE, "wait", *names, "--for=condition=Ready",
                        f"--timeout={READY_S}s")

    def apply(self, stack):
        """Apply a stack; return the one line that says what changed."""
        return self._environment("apply", "local", "--only", stack).strip().splitlines()[-1]

    def destroy(self):
        """Take everything away."""
        return self._environment("destroy", "local", "--yes").strip().splitlines()[-1]

    def _environment(self, *arguments):
        env = {"TF_VAR_overlay": OVERLAY, "TF_VAR_images": json.dumps(self.images)}
        return _run("-m", "eventing.environments", *arguments,
                    "--folder", str(self.folder / "terraform"), env=env)


def _run(*arguments, env=None):
    run = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False,
                         cwd=ROOT, env=os.environ | (env or {}))
    assert run.returncode == 0, f"{' '.join(arguments)}: {run.stdout[-3000:]}{run.stderr[-3000:]}"
    return run.stdout


def overlay_files(stored):
    """Return the files of the overlay `tested`: cluster-test with a script, files to read, object
    storage as the settings `stored` say, and a Redis that can be killed inside its pod."""
    return {"kustomization.yaml": _kustomization(stored), "examples.yaml": _examples()}


def _kustomization(stored):
    return {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization",
            "resources": ["../cluster-test", "examples.yaml"],
            "patches": [_settings(stored), _mounts(), _credentials(), _killable_redis()]}


def _settings(stored):
    steps = [{"op": "add", "path": f"/data/{name}", "value": value}
             for name, value in {**SETTINGS, **stored}.items()]
    return {"target": {"kind": "ConfigMap", "name": "tollgate"}, "patch": yaml.safe_dump(steps)}


def _mounts():
    steps = [{"op": "add", "path": "/spec/template/spec/volumes/-",
              "value": {"name": "examples", "configMap": {"name": "examples"}}},
             {"op": "add", "path": "/spec/template/spec/containers/0/volumeMounts/-",
              "value": {"name": "examples", "mountPath": MOUNT, "readOnly": True}}]
    return {"target": {"group": "serving.knative.dev", "kind": "Service",
                       "name": "|".join(READS_EXAMPLES)}, "patch": yaml.safe_dump(steps)}


def _credentials():
    # In a cloud the function's role gives them.
    steps = [{"op": "add", "path": "/spec/template/spec/containers/0/env/-",
              "value": {"name": name, "value": value}} for name, value in CREDENTIALS.items()]
    return {"target": {"group": "serving.knative.dev", "kind": "Service", "name": "costs"},
            "patch": yaml.safe_dump(steps)}


def _killable_redis():
    # In a namespace of its own, the server would be process 1, which no signal of its own kills.
    steps = [{"op": "add", "path": "/spec/template/spec/shareProcessNamespace", "value": True}]
    return {"target": {"kind": "StatefulSet", "name": "redis"}, "patch": yaml.safe_dump(steps)}


def _examples():
    files = {name: (EXAMPLES / name).read_text() for name in ("sales.csv", "report.md")}
    return {"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "examples", "namespace": NAMESPACE},
            "data": files | {"script.yaml": _script()}}


def _script():
    demo = yaml.safe_load((EXAMPLES / "demo.yaml").read_text())
    own = yaml.safe_load((ROOT / "tests" / "chaos" / "script.yaml").read_text())
    scenes = [one for one in own["scenes"] if one["when"].startswith(SCENES)]
    return yaml.safe_dump(demo | {"scenes": [*scenes, *demo["scenes"]]}, sort_keys=False)


def gone():
    """Tell whether nothing of an environment is there."""
    return not kubectl.ask("get", "namespace", NAMESPACE, "--ignore-not-found", "-o", "name")
