"""What every test may use: a real Redis, the asyncio backend, markers by folder."""

import os
import shutil
import socket
from pathlib import Path

import hypothesis
import pytest

HERE = Path(__file__).parent
for name in ("MAKELEVEL", "MAKEFLAGS", "MFLAGS", "ARGS"):  # a make below this one is on its own
    os.environ.pop(name, None)
hypothesis.settings.register_profile(  # machines are noisy; CI tries the same examples each time
    "untimed", deadline=None, derandomize=bool(os.environ.get("CI")))
hypothesis.settings.load_profile("untimed")

KINDS = ("unit", "integration", "conformance", "e2e", "chaos", "benchmarks",
         "terraform", "cluster", "images", "kafka")


def pytest_addoption(parser):
    parser.addoption(
        "--broker-under-test", default="tests.conformance.embedded:embedded",
        metavar="MODULE:FACTORY", help="which broker the conformance suite speaks to")


def pytest_collection_modifyitems(items):
    for item in items:
        folder = item.path.relative_to(HERE).parts[0]
        if folder in KINDS:
            item.add_marker(getattr(pytest.mark, folder))


@pytest.fixture(scope="session")
def anyio_backend():
    return "asyncio"


SERVERS = {"packaged": None, "system": shutil.which("redis-server")}
"""Redis 6.2 from the embedded package, and the newer one that the system may have."""

ON_EACH_SERVER = ("agents", "costs", "deadletters", "ledger", "tasks", "tools")
"""Integration tests of what keeps state: their scripts must run on both."""


def pytest_generate_tests(metafunc):
    """Run the tests of state on each server; CI must have both."""
    parts = metafunc.definition.path.relative_to(HERE).parts
    if "redis_url" in metafunc.fixturenames and parts[1] in ON_EACH_SERVER:
        there = [name for name, program in SERVERS.items() if name == "packaged" or program]
        servers = list(SERVERS) if os.environ.get("CI") else there
        metafunc.parametrize("redis_url", servers, indirect=True, scope="session")


@pytest.fixture(scope="session")
def redis_url(request, tmp_path_factory):
    """A real Redis server of this test session."""
    from eventing.local.embedded_redis import start

    name = getattr(request, "param", "packaged")
    assert name == "packaged" or SERVERS[name], "no redis-server on PATH: apt-get install it"
    server = start(tmp_path_factory.mktemp("redis"), durable=False, program=SERVERS[name])
    yield server.url
    server.stop()


@pytest.fixture
def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """In CI a skipped test is a failure: what it needs must be installed there."""
    report = yield
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome, report.longrepr = "failed", f"skipped in CI: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """In CI a module that skips itself is a failure too."""
    report = yield
    if os.environ.get("CI") and report.skipped:
        report.outcome, report.longrepr = "failed", f"skipped in CI: {report.longrepr}"
    return report
