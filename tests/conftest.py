"""What every test may use: a real Redis, the asyncio backend, markers by folder."""

import os
import socket
from pathlib import Path

import hypothesis
import pytest

HERE = Path(__file__).parent
hypothesis.settings.register_profile(  # machines are noisy; CI tries the same examples each time
    "untimed", deadline=None, derandomize=bool(os.environ.get("CI")))
hypothesis.settings.load_profile("untimed")

KINDS = ("unit", "integration", "conformance", "e2e", "chaos", "benchmarks")


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


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory):
    """A real Redis server of this test session, from the embedded package."""
    from eventing.local.embedded_redis import start

    server = start(tmp_path_factory.mktemp("redis"), durable=False)
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
