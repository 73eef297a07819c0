"""`make test-cluster` looks before it builds anything: what it says when it cannot start."""

import os
import subprocess
import sys

import pytest

KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: it
clusters: [{name: it, cluster: {server: "http://127.0.0.1:%s"}}]
users: [{name: it, user: {}}]
contexts: [{name: it, context: {cluster: it, user: it}}]
"""
BARE = """\
#!/bin/sh
case "$*" in
    *nodes*) echo 127.0.0.1 ;;
    *crd*) echo customresourcedefinition.apiextensions.k8s.io/%s ;;
    *) echo ok ;;
esac
"""
ALL = (
    "services.serving.knative.dev\ncustomresourcedefinition.apiextensions.k8s.io/"
    "brokers.eventing.knative.dev")


def started(**env):
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith("TOLLGATE_") and name != "KUBECONFIG"}
    return subprocess.run([sys.executable, "-m", "tests.cluster"], env=kept | env, check=False,
                          capture_output=True, text=True, timeout=60)


def assert_refused(run, *words):
    assert run.returncode == 2, run.stderr
    assert run.stdout == ""
    assert "Traceback" not in run.stderr
    for word in (*words, "make test-cluster needs"):
        assert word in run.stderr


def test_cluster_that_does_not_answer_is_named(tmp_path, free_port):
    config = tmp_path / "config"
    config.write_text(KUBECONFIG % free_port)

    run = started(KUBECONFIG=str(config))

    assert_refused(run, "the cluster cannot be asked", str(free_port))


@pytest.mark.parametrize(("kinds", "lacking"), [
    ("widgets.example.com", "Knative Eventing, Knative Eventing's PingSource, "),
    (ALL, "lacks Knative Eventing's PingSource, Knative Eventing's in-memory channel\n")])
def test_cluster_without_knative_is_told_what_it_lacks(tmp_path, kinds, lacking):
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(BARE % kinds.replace("\n", "; echo "))
    kubectl.chmod(0o755)

    run = started(PATH=f"{tmp_path}:{os.environ['PATH']}")

    assert_refused(run, "the cluster lacks", lacking)


def test_program_that_fails_is_quoted(tmp_path):
    program = tmp_path / "cluster"
    program.write_text("#!/bin/sh\necho no memory >&2\nexit 3\n")
    program.chmod(0o755)

    run = started(TOLLGATE_TEST_CLUSTER=str(program))

    assert_refused(run, f"{program} up failed with 3: no memory")
