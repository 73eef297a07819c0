"""The cluster that tests run on: the given one, or one that a program starts."""

import os
import re
import shlex
import socket
import subprocess

from tests.kafka import kubectl

PROGRAM = "TOLLGATE_TEST_CLUSTER"
"""A program with `up`, `env` (prints exports) and `import FILE.tar …` (loads images)."""

IMPORT = "TOLLGATE_TEST_IMPORT"
"""A command that loads image archives where no program does: `kind load image-archive`."""

INGRESS = "TOLLGATE_INGRESS"
HOST = "TOLLGATE_TEST_HOST"
NEEDED = {
    "services.serving.knative.dev": "Knative Serving",
    "brokers.eventing.knative.dev": "Knative Eventing",
    "inmemorychannels.messaging.knative.dev": "Knative Eventing's in-memory channel",
    "pingsources.sources.knative.dev": "Knative Eventing's PingSource",
}
PARTS = {
    ("knative-serving", "activator"): "Knative Serving",
    ("knative-eventing", "mt-broker-ingress"): "Knative Eventing's in-memory broker",
    ("kourier-system", "3scale-kourier-gateway"): "Kourier, the network layer of Knative Serving",
}
EXPORT = re.compile(r"(\w+)=(\S+)")
HOW = f"""
make test-cluster needs a Kubernetes with Knative Serving, Kourier and Eventing (in-memory broker):
  kubectl's configuration (KUBECONFIG) for it, as kind or a cloud writes it; or
  {PROGRAM}=<program> that starts one: `up`, `env`, `import FILE.tar …`
  {IMPORT}=<command>  loads image archives, such as: kind load image-archive
  {INGRESS}=<address>  of Kourier, as this machine reaches it (else kubectl forwards a port)
  {HOST}=<address>  of this machine, as the cluster's pods see it (else found out)"""


class NotReady(Exception):
    """The cluster cannot serve the tests; says what is missing and how to get it."""


def started():
    """Start a cluster if a program is named and none is given; take over what it exports.

    Raises:
        NotReady: the program fails.
    """
    program = os.environ.get(PROGRAM)
    if not program or os.environ.get("KUBECONFIG"):
        return
    _told([program, "up"])
    for line in _told([program, "env"]).splitlines():
        for name, value in EXPORT.findall(line.removeprefix("export ")):
            os.environ.setdefault(name, shlex.split(value)[0])


def looked_at():
    """Return this machine's address as pods see it.

    Raises:
        NotReady: no cluster answers, or it lacks a part of Knative.
    """
    try:
        kubectl.ask("get", "--raw", "/readyz", "--request-timeout=10s")
    except kubectl.Unreachable as error:
        raise NotReady(f"the cluster cannot be asked: {error}") from error
    try:
        kinds = set(kubectl.ask("get", "crd", "-o", "name").split())
        _complete(kinds)
        nodes = kubectl.ask("get", "nodes", "-o", "jsonpath={range .items[*].status.addresses[?("
                            '@.type=="InternalIP")]}{.address}{" "}{end}').split()
    except kubectl.Unreachable as error:
        raise NotReady(str(error)) from error
    return os.environ.get(HOST) or _facing(nodes)


def _complete(kinds):
    lacking = {part for kind, part in NEEDED.items()
               if f"customresourcedefinition.apiextensions.k8s.io/{kind}" not in kinds}
    for (namespace, name), part in PARTS.items():
        if not lacking and not kubectl.ask("-n", namespace, "get", "deployment", name, "-o",
                                           "name", "--ignore-not-found").strip():
            lacking.add(f"{part} (no deployment {name} in {namespace})")
    if lacking:
        raise NotReady(f"the cluster lacks {', '.join(sorted(lacking))}")


def _facing(nodes):
    """Return the address from which this machine speaks to a node: pods can answer there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((nodes[0], 9))
        return probe.getsockname()[0]


def loaded(archives):
    """Load images into the cluster, or leave it to whoever gave it.

    Raises:
        NotReady: the program fails.
    """
    if program := os.environ.get(PROGRAM):
        _told([program, "import", *map(str, archives)])
    elif command := os.environ.get(IMPORT):
        for archive in archives:
            _told([*shlex.split(command), str(archive)])
    else:
        raise NotReady(f"nothing says how images get into the cluster: set {IMPORT}")


def _told(command):
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise NotReady(f"{command[0]}: {error.strerror}") from error
    if run.returncode:
        said = (run.stderr.strip() or run.stdout.strip())[-2000:]
        raise NotReady(f"{' '.join(command)} failed with {run.returncode}: {said}")
    return run.stdout
