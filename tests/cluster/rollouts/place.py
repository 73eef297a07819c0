"""A namespace with a Broker, Redis, the function `rollouts` and a stand-in for an agent."""

import json
import os
import subprocess
import urllib.request
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from tests.kafka import kubectl

ROOT = Path(__file__).parents[3]
BASE = ROOT / "knative" / "base" / "rollouts"
TAG = os.environ.get("TOLLGATE_TEST_ROLLOUTS_TAG", "local")
FIRST, SECOND = "dev.local/tollgate/calculator:local", "dev.local/tollgate/calculator:next"
"""Any image with Python does: what runs is `thinker.py`."""

BROKERS = "http://broker-ingress.knative-eventing.svc.cluster.local"


class Place:
    """One namespace; everything in it ends with it."""

    def __init__(self, name, ingress):
        self.name, self.ingress = name, ingress

    @cached_property
    def host(self):
        """The name by which the cluster's domain knows the function."""
        return urlsplit(self.service()["status"]["url"]).hostname

    def kubectl(self, *args, text=None):
        return kubectl.ask("-n", self.name, *args, text=text)

    def make(self):
        kubectl.ask("create", "namespace", self.name)
        objects = [*self._surroundings(), *self._function(), self._thinker()]
        self.kubectl("apply", "-f", "-", text=yaml.safe_dump_all(objects))
        for what in ("broker/default", "trigger/rollouts-samples", "ksvc/thinker",
                     "ksvc/rollouts"):
            self.kubectl("wait", "--for=condition=Ready", what, "--timeout=120s")
        return self

    def end(self):
        kubectl.ask("delete", "namespace", self.name, "--wait=false")

    def _surroundings(self):
        broker = f"{BROKERS}/{self.name}/default"
        yield {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker",
               "metadata": {"name": "default"}}
        yield {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "tollgate"},
               "data": {"REDIS_URL": f"redis://redis.{self.name}.svc.cluster.local:6379/0",
                        "BROKER_URL": broker}}
        yield {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "thinker"},
               "data": {"thinker.py": (Path(__file__).parent / "thinker.py").read_text()}}
        yield {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "redis"},
               "spec": {"selector": {"app": "redis"}, "ports": [{"port": 6379}]}}
        yield {"apiVersion": "v1", "kind": "Pod",
               "metadata": {"name": "redis", "labels": {"app": "redis"}},
               "spec": {"terminationGracePeriodSeconds": 1, "containers": [{
                   "name": "redis", "image": "dev.local/tollgate/redis:local",
                   "imagePullPolicy": "Never", "command": ["redis-server"],
                   "args": ["--protected-mode", "no", "--save", ""]}]}}

    def _function(self):
        """Yield the function's own manifests, for this namespace and these images."""
        for file in sorted(BASE.glob("*.yaml")):
            if file.name == "kustomization.yaml":
                continue
            text = file.read_text().replace("namespace: tollgate", f"namespace: {self.name}")
            found = yaml.safe_load(text)
            if found["kind"] == "Service":
                container = found["spec"]["template"]["spec"]["containers"][0]
                container |= {"image": f"dev.local/tollgate/rollouts:{TAG}",
                              "imagePullPolicy": "Never"}
            if found["kind"] == "Trigger":
                del found["spec"]["delivery"]["deadLetterSink"]
            yield found

    def _thinker(self):
        return {
            "apiVersion": "serving.knative.dev/v1", "kind": "Service",
            "metadata": {"name": "thinker"}, "spec": {"template": {"spec": {
                "containers": [{
                    "image": FIRST, "imagePullPolicy": "Never",
                    "command": ["python3", "/app/thinker.py"],
                    "env": [{"name": "DEARER", "value": "2"},
                            {"name": "BROKER_URL", "value": f"{BROKERS}/{self.name}/default"}],
                    "volumeMounts": [{"name": "app", "mountPath": "/app"}]}],
                "volumes": [{"name": "app", "configMap": {"name": "thinker"}}]}}}}

    def tollgate(self, *args, code=0):
        """Run a command of `tollgate rollout` and return its JSON."""
        run = subprocess.run([ROOT / ".venv/bin/tollgate", "rollout", *args, "-n", self.name,
                              "--json"], capture_output=True, text=True, check=False)
        assert run.returncode == code, run.stderr
        return json.loads(run.stdout or run.stderr.splitlines()[-1])

    def service(self):
        return json.loads(self.kubectl("get", "ksvc", "thinker", "-o", "json"))

    def ask(self, path="/"):
        """Return which revision answers a request from outside."""
        request = urllib.request.Request(self.ingress + path, headers={"Host": self.host})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read().decode()

    def inside(self, url):
        """Return what a pod of the namespace gets from an address, or the error's name."""
        pod = self.kubectl("get", "pods", "-l", "serving.knative.dev/service=thinker", "-o",
                           "jsonpath={.items[0].metadata.name}")
        ask = ("import sys,urllib.request,urllib.error\n"
               "try: print(urllib.request.urlopen(sys.argv[1],timeout=30).read().decode())\n"
               "except urllib.error.URLError as e: print(type(e.reason).__name__)")
        return self.kubectl("exec", pod, "-c", "user-container", "--", "python3", "-c", ask,
                            url).strip()
