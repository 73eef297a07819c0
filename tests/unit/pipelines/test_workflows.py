"""Workflows do nothing but make targets, each of which a test executes; rights are the least."""

import re
import shlex

import pytest
import yaml

from eventing.images.closure import ROOT
from eventing.pipelines.workflows import FOLDER

WORKFLOWS = sorted(FOLDER.glob("*.yml"))
EXECUTED = {
    ".ci/run": None, "make check": None, "make test": None,  # who runs this runs these
    "make scan": "tests/unit/pipelines/test_targets.py",
    "make image": "tests/images/test_push.py",
    "make push": "tests/images/test_push.py",
    "make record": "tests/unit/pipelines/test_targets.py",
    "make ready": "tests/unit/pipelines/test_targets.py",
    "make deploy": "tests/cluster/test_releases.py",
    "make rollout": "tests/cluster/test_releases.py",
    "make drift": "tests/terraform/aws/test_life.py",
    "make test-images": "tests/unit/pipelines/test_targets.py",
    "make test-cluster": "tests/unit/pipelines/test_targets.py",
    "make test-kafka": "tests/unit/pipelines/test_targets.py",
}
"""What a workflow runs → the test that executes it."""

ACTIONS = re.compile(r"^(\./\.github/workflows/[\w-]+\.yml|[\w-]+/[\w./-]+@v\d+(\.\d+)*)$")


def loaded(file):
    """Return a workflow; YAML 1.1 reads its key `on` as true."""
    document = yaml.safe_load(file.read_text())
    document["on"] = document.pop(True)
    return document


def steps(document):
    return [step for job in document["jobs"].values() for step in job.get("steps", ())]


def targets():
    rules = [ROOT / "Makefile", *(f for top in ("functions", "eventing", "knative", "terraform",
                                               "tests") for f in (ROOT / top).rglob("*.mk"))]
    return {name for file in rules
            for name in re.findall(r"^([a-z-]+):", file.read_text(), re.MULTILINE)}


def command_of(line):
    first, *rest = shlex.split(line)
    return f"make {rest[0]}" if first == "make" else first


workflows = pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)


@workflows
def test_each_run_line_is_a_target_that_a_test_executes(file):
    for line in (step["run"] for step in steps(loaded(file)) if "run" in step):
        assert "\n" not in line, "one target per step"
        made = command_of(line)
        if made == "make $BY":
            continue  # deploy or rollout: see test_release_is_by_a_target
        assert made in EXECUTED
        assert made.startswith(".ci/") or made.removeprefix("make ") in targets()


def test_release_is_by_a_target():
    used = {job["with"]["by"] for job in loaded(FOLDER / "deliver.yml")["jobs"].values()
            if "with" in job}

    assert used == {"deploy", "rollout"}
    assert used <= targets()


@pytest.mark.parametrize(("command", "test"), EXECUTED.items(), ids=EXECUTED)
def test_the_test_of_a_target_runs_it(command, test):
    if test is None:
        assert command in (ROOT / ".ci" / "run").read_text() or command == ".ci/run"
        return
    words = f'"make", "{command.removeprefix("make ")}"'

    assert words in (ROOT / test).read_text()


@workflows
def test_rights_are_named_and_least(file):
    document = loaded(file)
    rights = [document["permissions"], *(job.get("permissions", {})
                                         for job in document["jobs"].values())]

    assert document["permissions"].get("contents") == "read"
    assert all(set(r) <= {"contents", "id-token"} for r in rights)
    writing = [name for name, job in document["jobs"].items()
               if job.get("permissions", {}).get("contents") == "write"]
    assert not writing or file.stem in ("deliver", "release")


@workflows
def test_actions_name_a_version_and_jobs_an_end(file):
    for job in loaded(file)["jobs"].values():
        used = [job["uses"]] if "uses" in job else [s["uses"] for s in job["steps"] if "uses" in s]
        assert all(ACTIONS.match(action) for action in used), used
        assert "uses" in job or "timeout-minutes" in job


@workflows
def test_texts_from_outside_reach_no_shell(file):
    """Expressions in a run line would be pasted into a shell; environment variables are not."""
    assert not [s["run"] for s in steps(loaded(file)) if "run" in s and "${{" in s["run"]]


@workflows
def test_no_long_lived_key(file):
    assert "aws-access-key" not in file.read_text()
    assert "secrets." not in file.read_text()
