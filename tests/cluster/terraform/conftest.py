"""Environments on a real cluster: copies of the roots, a small overlay of the real manifests."""

import pytest

from tests.cluster.terraform.environment import Environment, cluster_environ
from tests.kafka import kubectl


@pytest.fixture(scope="session")
def environ():
    return cluster_environ()


@pytest.fixture(scope="module")
def environment(environ, tmp_path_factory):
    """An applied environment of two functions, taken away at the end."""
    made = Environment(tmp_path_factory.mktemp("environment"), environ)
    made.apply("messaging")
    made.apply("apps")
    yield made
    made.destroy()


@pytest.fixture
def edited(environment):
    """The same environment; what a test changes in its files is taken back and applied."""
    with environment.edits():
        yield environment


@pytest.fixture
def namespace(environ):
    """An empty namespace of its own."""
    name = Environment.new_name()
    kubectl.ask("create", "namespace", name)
    yield name
    kubectl.ask("delete", "namespace", name, "--wait=false")
