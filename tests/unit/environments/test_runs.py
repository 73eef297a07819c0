"""What one command asks of Terraform and of the cluster, in which order; both are scripts here."""

import json
import os

import pytest

from eventing.environments.__main__ import main

TERRAFORM = """#!/bin/sh
shift
echo "$*" >> $HERE/asked
case "$*" in
  plan*) exit 2;;
  show*) cat $HERE/plan;;
  state*) cat $HERE/state;;
esac
"""
KUBECTL = """#!/bin/sh
case "$*" in
  *dry-run*) [ -f $HERE/refusal ] && cat $HERE/refusal >&2 && exit 1; exit 0;;
  *diff*) cat $HERE/diff; exit 1;;
esac
"""
TRIGGER = {"apiVersion": "eventing.knative.dev/v1", "kind": "Trigger",
           "metadata": {"name": "one", "namespace": "tollgate"}, "spec": {}}
RESOURCE = {"type": "kustomization_resource", "mode": "managed", "address": "trigger"}
PLAN = {"resource_changes": [{**RESOURCE, "change": {
    "actions": ["create"], "before": None, "after": {"manifest": json.dumps(TRIGGER)}}}]}
STATE = {"resources": [{**RESOURCE, "instances": [
    {"attributes": {"manifest": json.dumps(TRIGGER)}}]}]}
DIFF = "--- /tmp/L/Trigger.one\n+++ /tmp/M/Trigger.one\n- image: other\n+ image: ours\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An environment of one stack, whose plan makes a Trigger."""
    for name, text in (("terraform", TERRAFORM), ("kubectl", KUBECTL)):
        file = tmp_path / name
        file.write_text(text)
        file.chmod(0o755)
    for name, document in (("plan", PLAN), ("state", STATE)):
        (tmp_path / name).write_text(json.dumps(document))
    (tmp_path / "diff").write_text(DIFF)
    root = tmp_path / "environments" / "one" / "apps"
    root.mkdir(parents=True)
    (root / "main.tf").touch()
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HERE", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    return tmp_path


def asked(folder):
    return [line.split()[0] for line in (folder / "asked").read_text().splitlines()]


def test_what_was_checked_is_what_is_applied(folder):
    assert main(["apply", "one", "--folder", str(folder)]) == 0

    assert asked(folder) == ["init", "plan", "show", "apply", "state"]


def test_what_the_cluster_would_refuse_is_not_applied(folder, capsys):
    (folder / "refusal").write_text('Error from server (BadRequest): unknown field "spec.x"')

    assert main(["apply", "one", "--folder", str(folder)]) == 1

    assert asked(folder) == ["init", "plan", "show"]
    assert ('apps: the cluster would refuse: Trigger tollgate/one: unknown field "spec.x"'
            in capsys.readouterr().out)


def test_cluster_that_is_away_is_not_asked_to_apply(folder, capsys):
    (folder / "refusal").write_text("dial tcp 127.0.0.1:9: connection refused")

    assert main(["apply", "one", "--folder", str(folder)]) == 1

    assert "apply" not in asked(folder)
    assert "The cluster does not answer" in capsys.readouterr().out


def test_drift_compares_what_the_state_says_was_applied(folder, capsys):
    (folder / "plan").write_text("{}")

    assert main(["drift", "one", "--folder", str(folder)]) == 2

    assert asked(folder) == ["init", "plan", "show", "state"]
    assert "one: drift in 1: Trigger.one: - image: other" in capsys.readouterr().out
