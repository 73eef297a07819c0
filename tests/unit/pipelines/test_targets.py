"""The make targets of pipelines, run as pipelines run them."""

import os
import shutil
import subprocess

import pytest

from eventing.images.closure import ROOT


def make(*words, cwd=ROOT, **variables):
    """Run a target; return (exit code, everything it said)."""
    done = subprocess.run(["make", *words], cwd=cwd, capture_output=True, text=True,
                          env=os.environ | variables, timeout=300, check=False)
    return done.returncode, done.stdout + done.stderr


def test_scan_reads_the_bill_of_the_function(tmp_path):
    scanner = tmp_path / "grype"
    scanner.write_text('#!/bin/sh\nfor last; do :; done\ngrep -c CycloneDX "${last#sbom:}"\n')
    scanner.chmod(0o755)

    command = ["make", "scan", "fn=calculator"]
    code, said = make(*command[1:], SCANNER=str(scanner))

    assert code == 0, said
    assert said.splitlines() == ["1", "calculator: grype found nothing of high severity"]


def test_scan_of_what_does_not_exist_names_what_does():
    code, said = make("scan", "fn=abacus")

    assert code != 0
    assert "calculator, costs" in said


@pytest.mark.parametrize(("words", "said"), [
    (["deploy", "env=dev"], "Say fn: make deploy env=… fn=… image=…"),
    (["rollout", "fn=gateway", "image=x:1"], "Say env: make rollout env=… fn=… image=…"),
    (["push", "fn=gateway"], "Say image: make push fn=… image=…")], ids=lambda v: v[0])
def test_target_names_what_is_missing(words, said):
    code, told = make(*words)

    assert code != 0
    assert told.splitlines()[0] == said


def test_ready_ends_with_the_checks_answer():
    command = ["make", "ready", "env=dev"]
    code, said = make(*command[1:])

    assert code != 0
    assert "checks hold" in said


def test_record_of_a_known_image_pushes_nothing(tmp_path):
    copy = tmp_path / "copy"
    origin = tmp_path / "origin.git"
    shutil.copytree(ROOT, copy, symlinks=True, ignore=shutil.ignore_patterns(
        ".git", ".venv", "build", "*cache*", "node_modules"))
    (copy / ".venv").symlink_to(ROOT / ".venv")
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", origin],
                   check=True)
    for words in (["init", "--quiet", "--initial-branch=main"], ["add", "terraform"],
                  ["-c", "user.name=a", "-c", "user.email=a@b.invalid", "commit", "-qm", "x"],
                  ["remote", "add", "origin", str(origin)],
                  ["push", "--quiet", "-u", "origin", "main"]):
        subprocess.run(["git", *words], cwd=copy, check=True)
    image = "registry.example/calculator:1"
    pinned = subprocess.run(["python3", "-m", "eventing.pipelines", "pin", "dev", "calculator",
                             image], cwd=copy, env=os.environ | {
                                 "PATH": f"{ROOT}/.venv/bin:{os.environ['PATH']}",
                                 "PYTHONPATH": str(copy)}, check=True, timeout=60)
    assert pinned.returncode == 0
    command = ["make", "record", "env=dev", "fn=calculator", f"image={image}"]

    first, said = make(*command[1:], cwd=copy, PYTHONPATH=str(copy))
    second, again = make(*command[1:], cwd=copy, PYTHONPATH=str(copy))

    assert (first, second) == (0, 0), said + again
    assert "pushed: dev runs" in said
    assert "Git knows already" in again


@pytest.mark.parametrize("command", [
    ["make", "test-images"], ["make", "test-cluster"], ["make", "test-kafka"],
], ids=lambda command: command[1])
def test_suites_of_the_night_collect_their_tests(command):
    """Each needs more than this machine may have; that their tests load is seen here."""
    code, said = make(*command[1:], "ARGS=--collect-only", KUBECONFIG="/nowhere",
                      TOLLGATE_TEST_CLUSTER="")

    assert "make: ***" in said or code == 0
    assert "Traceback" not in said
