"""What is asked of a cluster, and how its answers are read; kubectl is a script here."""

import json
import os
import stat

import pytest

from eventing.environments import kubectl, live, manifests, strict
from eventing.environments.errors import advice
from eventing.environments.errors_kubernetes import HINTS
from eventing.environments.hint import first_answer

TRIGGER = {"apiVersion": "eventing.knative.dev/v1", "kind": "Trigger",
           "metadata": {"name": "one", "namespace": "tollgate"}, "spec": {}}
SERVICE = {"apiVersion": "serving.knative.dev/v1", "kind": "Service",
           "metadata": {"name": "two", "namespace": "tollgate"}, "spec": {}}
DEFINITION = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
              "metadata": {"name": "triggers.eventing.knative.dev"},
              "spec": {"group": "eventing.knative.dev", "names": {"kind": "Trigger"}}}


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Return a function that puts a shell script into PATH in place of kubectl or terraform."""
    def put(text, name="kubectl"):
        file = tmp_path / name
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv(kubectl.FOR_TERRAFORM, raising=False)
    return put


def test_accepted_manifests_have_no_faults(program):
    program("exit 0")

    assert strict.faults([TRIGGER, SERVICE], {}) == []


def test_each_refused_manifest_is_named_with_the_reason(program):
    program("""if grep -q Trigger; then
        echo 'Warning: of no interest' >&2
        echo 'Error from server (BadRequest): error when creating "STDIN": unknown field "x"' >&2
        exit 1; fi""")

    assert strict.faults([TRIGGER, SERVICE], {}) == [
        'Trigger tollgate/one: unknown field "x"']


def test_object_in_an_error_is_not_repeated(program):
    program(r"""echo 'The request is invalid: patch: Invalid value: "{\"a\":\"b\"}": bad' >&2
        exit 1""")

    assert strict.faults([TRIGGER], {}) == [
        "Trigger tollgate/one: The request is invalid: patch: bad"]


def test_namespace_that_is_planned_too_is_no_fault(program):
    program("""echo 'Error from server (NotFound): namespaces "tollgate" not found' >&2; exit 1""")

    assert strict.faults([TRIGGER], {}) == []


def test_kind_that_is_planned_too_is_no_fault(program):
    program("""grep -q Trigger.*spec && exit 1; exit 0""")

    assert strict.faults([DEFINITION, TRIGGER], {}) == []


def test_stack_without_manifests_asks_no_cluster(program):
    program("exit 9")

    assert strict.faults([], {}) == []
    assert live.drift([], {}) == []


def test_clients_own_log_is_not_part_of_an_error(program):
    program("""echo 'E1121 06:25:02.4 87 memcache.go:265] "Unhandled Error"' >&2
        echo 'error: no such context' >&2; exit 1""")

    assert kubectl.run(("version",), {}).errors == "no such context"


def test_missing_kubeconfig_is_said_and_no_other_cluster_asked(program, tmp_path):
    program("echo asked")

    with pytest.raises(kubectl.Unanswered, match="there is no kubeconfig at"):
        kubectl.run(("version",), {"KUBECONFIG": str(tmp_path / "away")})


def test_kubectl_without_any_cluster_says_how_to_name_one(program):
    program("""echo 'E1121 06:25:02.4 87 memcache.go:265] "Unhandled Error"' >&2
        echo 'The connection to the server localhost:8080 was refused - did you specify' >&2
        exit 1""")

    with pytest.raises(kubectl.Unanswered, match="there is no kubeconfig: set KUBECONFIG"):
        kubectl.done(("get", "pods"), {})


def test_cluster_that_is_away_is_no_fault_of_a_manifest(program):
    program("""echo 'E1121 06:25:02.4 87 memcache.go:265] "Unhandled Error"' >&2
        echo 'error: error validating "STDIN": error validating data: '\
            'Get "https://c.test/openapi": '\
            'connection refused; if you choose to ignore these errors, turn it off' >&2; exit 1""")

    with pytest.raises(kubectl.Unanswered) as ended:
        strict.faults([TRIGGER, SERVICE], {})

    assert str(ended.value) == 'Get "https://c.test/openapi": connection refused'
    assert "The cluster does not answer" in advice(str(ended.value))


def test_missing_kubectl_is_said(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(kubectl.Unanswered, match="kubectl is not in PATH: install"):
        kubectl.run(("version",), {})


def test_silent_cluster_is_said(program, monkeypatch):
    program("sleep 30")
    monkeypatch.setattr(kubectl, "SECONDS_MAX", 0.2)

    with pytest.raises(kubectl.Unanswered, match="did not answer"):
        kubectl.run(("version",), {})


@pytest.mark.parametrize(("inherited", "given", "expected"), [
    ({"KUBECONFIG": "/a"}, {}, "/a"),
    ({"KUBECONFIG": "/a", kubectl.FOR_TERRAFORM: "/b"}, {}, "/b"),
    ({"KUBECONFIG": "/a", kubectl.FOR_TERRAFORM: "/b"}, {"KUBECONFIG": "/c"}, "/c"),
    ({"KUBECONFIG": "/a"}, {kubectl.FOR_TERRAFORM: "/d", "KUBECONFIG": "/c"}, "/d"),
], ids=["own", "terraform", "given", "given-terraform"])
def test_kubectl_means_the_cluster_that_terraform_means(
        program, monkeypatch, tmp_path, inherited, given, expected):
    program('printf %s "$KUBECONFIG"')
    for name in ("a", "b", "c", "d"):
        (tmp_path / name).touch()
    for name, value in inherited.items():
        monkeypatch.setenv(name, f"{tmp_path}{value}")

    answer = kubectl.run((), {name: f"{tmp_path}{value}" for name, value in given.items()})

    assert answer.out == f"{tmp_path}{expected}"


def test_planned_manifests_are_those_created_or_updated():
    def change(kind, actions, manifest):
        after = {"manifest": json.dumps(manifest)} if manifest else None
        return {"type": kind, "change": {"actions": actions, "after": after}}
    plan = {"resource_changes": [
        change(manifests.KIND, ["create"], TRIGGER),
        change(manifests.KIND, ["no-op"], SERVICE),
        change(manifests.KIND, ["delete"], None),
        change(manifests.KIND, ["delete", "create"], SERVICE),
        {"type": "aws_s3_bucket", "change": {"actions": ["create"], "after": {}}}]}

    assert list(manifests.of_plan(plan)) == [TRIGGER, SERVICE]
    assert list(manifests.of_plan({})) == []


def test_applied_manifests_are_those_of_the_state():
    state = {"resources": [
        {"type": manifests.KIND, "mode": "managed",
         "instances": [{"attributes": {"manifest": json.dumps(TRIGGER)}}]},
        {"type": "kustomization_overlay", "mode": "data", "instances": [{}]}]}

    assert list(manifests.of_state(state)) == [TRIGGER]
    assert list(manifests.of_state({})) == []


DIFF = """\
diff -U0 -N /tmp/LIVE-1/eventing.knative.dev.v1.Trigger.tollgate.one /tmp/MERGED-2/eventing...
--- /tmp/LIVE-1/eventing.knative.dev.v1.Trigger.tollgate.one\t2026-11-21
+++ /tmp/MERGED-2/eventing.knative.dev.v1.Trigger.tollgate.one\t2026-11-21
@@ -7 +7 @@
-  generation: 2
+  generation: 3
@@ -24 +24 @@
-      - image: other
+      - image: ours
diff -U0 -N /tmp/LIVE-1/v1.ConfigMap.tollgate.two /tmp/MERGED-2/v1.ConfigMap.tollgate.two
--- /tmp/LIVE-1/v1.ConfigMap.tollgate.two\t2026-11-21
+++ /tmp/MERGED-2/v1.ConfigMap.tollgate.two\t2026-11-21
@@ -7 +7 @@
-  generation: 2
+  generation: 3
"""


def test_drift_names_object_and_lines_but_no_generation():
    assert list(live.of_diff(DIFF)) == [
        "eventing.knative.dev.v1.Trigger.tollgate.one: - - image: other, + - image: ours"]


def test_long_drift_is_cut_with_a_number():
    lines = "".join(f"-    key{n}: old\n+    key{n}: new\n" for n in range(5))

    (line,) = live.of_diff(f"--- /tmp/L/v1.ConfigMap.a.b\n+++ /tmp/M/v1.ConfigMap.a.b\n{lines}")

    assert line.endswith("and 4 more lines")


ERRORS = {
    'Error: timed out waiting for: "eventing.knative.dev/v1, Kind=Broker": timeout while waiting '
    "for state to become 'existing'": "CustomResourceDefinition is missing",
    'no matches for kind "Broker" in version "eventing.knative.dev/v1"': "releases",
    'timed out waiting for: "serving.knative.dev/v1, Kind=Service": Get "https://x/api": dial tcp '
    "127.0.0.1:9: connect: connection refused": "cluster does not answer",
    "dial tcp: lookup cluster.example: no such host": "cluster does not answer",
    "tls: failed to verify certificate: x509: certificate signed by unknown authority":
        "certificate authority",
    'provider kustomization: kubeconfig_path: couldn\'t get version/kind; json parse error':
        "kubeconfig cannot be read",
    'timed out waiting for: "serving.knative.dev/v1, Kind=Service": the server has asked for the '
    "client to provide credentials": "log in again",
    "error: You must be logged in to the server (Unauthorized)": "log in again",
    'services "a" is forbidden: exceeded quota: few, requested: count/services=1, used: '
    "count/services=1, limited: count/services=1": "ResourceQuota few has no room for "
                                                   "count/services=1",
    'brokers.eventing.knative.dev is forbidden: User "ada" cannot create resource "brokers" in API '
    'group "eventing.knative.dev"': "ada may not create brokers",
    'admission webhook "validation.webhook.eventing.knative.dev" denied the request: validation '
    "failed": "validation.webhook.eventing.knative.dev refuses the manifest",
    'failed calling webhook "webhook.serving.knative.dev": no endpoints available':
        "webhook.serving.knative.dev does not answer",
    'strict decoding error: unknown field "spec.filters[0].exactt"':
        "There is no field spec.filters[0].exactt",
    'namespaces "tollgate" not found': "apply messaging first",
    'timed out waiting for: "_/Namespace/_/tollgate": timeout': "apply messaging first",
    'unable to create new content in namespace a because it is being terminated': "still being",
    "timed out creating/updating StatefulSet tollgate/redis: timeout":
        "StatefulSet tollgate/redis did not become ready",
    'configmaps "tollgate" already exists': "terraform import",
    "Immutable fields changed (-old +new): spec.config": "A Broker's class",
    "error parsing resource data: (*kManifest).load: json error: unexpected end of JSON input":
        "writes it anew",
    "accumulating resources: accumulation err": "kubectl kustomize",
}
"""Texts as clusters and the provider said them, to what must be in the answer."""


@pytest.mark.parametrize("said", ERRORS, ids=lambda text: text[:40])
def test_error_says_what_to_do(said):
    assert ERRORS[said] in (advice(said) or "")


def test_every_hint_is_shown_by_an_example():
    answered = {next(hint for hint in HINTS if first_answer((hint,), said)) for said in ERRORS}

    assert answered == {*HINTS}
