"""The runtime starts with an overlay and says what it leaves out."""

import json
import subprocess
import sys

import pytest

from tests.goldens import OVERLAYS

COMMAND = [sys.executable, "-m", "eventing.local"]
SAID_MAX_S = 60


@pytest.fixture
def runtime(tmp_path):
    running = subprocess.Popen(
        [*COMMAND, "--manifests", OVERLAYS / "prod", "--data", tmp_path / "data"],
        stdout=subprocess.PIPE, text=True)
    yield running
    running.terminate()
    running.wait(SAID_MAX_S)
    running.stdout.close()


def test_runtime_starts_with_production_and_names_what_it_leaves_out(runtime):
    said = json.loads(runtime.stdout.readline())

    assert {"gateway", "ledger", "broker"} <= set(said["addresses"])
    assert "EventPolicy broker: the embedded broker asks nobody for a token" in said["left_out"]
    assert "PodDisruptionBudget ledger: processes are no pods" in said["left_out"]


def test_refused_overlay_ends_the_runtime_with_its_faults(tmp_path):
    done = subprocess.run([*COMMAND, "--manifests", OVERLAYS / "cluster-test", "--data", tmp_path],
                          capture_output=True, text=True, timeout=SAID_MAX_S, check=False)

    assert done.returncode == 2
    assert "Broker default" in done.stderr
    assert "must be Kafka" in done.stderr
