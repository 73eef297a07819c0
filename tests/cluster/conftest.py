"""The environment on the cluster, as the runner made it, and what was measured on it."""

import os
from pathlib import Path
from time import monotonic

import pytest

from tests.cluster.given import HOST
from tests.cluster.system import ClusterSystem, api_keys
from tests.cluster.workspace import Workspace
from tests.storage import Storage

FOLDER = "TOLLGATE_TEST_FOLDER"
KEEP = "TOLLGATE_TEST_KEEP"
"""Set to `true`, the environment stays for a look at it."""

FIGURES = pytest.StashKey[dict]()


def pytest_configure(config):
    config.stash[FIGURES] = {}


@pytest.fixture(scope="session")
def figures(request):
    """What to tell about the run: name → text."""
    return request.config.stash[FIGURES]


@pytest.fixture(scope="session")
def storage():
    """Object storage for what costs archives."""
    with Storage(os.environ[HOST]) as running:
        yield running


@pytest.fixture(scope="session")
def workspace(figures, storage):
    """The environment, applied."""
    folder = os.environ.get(FOLDER)
    assert folder, "these tests need what `make test-cluster` makes: start them with it"
    made, began = Workspace(Path(folder), storage), monotonic()
    made.write()
    try:
        made.make(api_keys())
        figures["applied with Terraform in"] = f"{monotonic() - began:.1f} s"
        made.wait()
        figures["all functions, Broker and Triggers Ready after"] = f"{monotonic() - began:.1f} s"
        yield made
    finally:
        if os.environ.get(KEEP) != "true":
            made.destroy()


@pytest.fixture
async def system(workspace):
    async with ClusterSystem() as running:
        yield running


def pytest_terminal_summary(terminalreporter, config):
    for name, value in config.stash[FIGURES].items():
        terminalreporter.write_line(f"{name}: {value}")
