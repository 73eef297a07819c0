"""Functions run from what their image has, and from nothing else."""

import re
import signal
import subprocess
import sys
import time
from importlib.metadata import distribution
from pathlib import Path

import httpx2
import pytest

from eventing.images.closure import closure, functions
from eventing.images.staging import stage_files
from eventing.images.surroundings import surroundings

STARTED_S = 60
IMPORTED = re.compile(r"^import time: .*\| +([\w.]+)$", re.MULTILINE)
REQUESTS = [("GET", "/health"), ("GET", "/ready"), ("GET", "/metrics"), ("GET", "/openapi.json"),
            ("GET", "/"), ("POST", "/"), ("POST", "/invoke"), ("GET", "/v1/costs")]
"""Answered or refused by every function, never with a crash. `GET /` of costs is a page."""

EVENT = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/test", "ce-type": "any.v1"}

IN_A_CLUSTER = {"rollouts"}
"""Who refuses every event without an API server's credentials."""

CRASHED = ("Traceback", "ModuleNotFoundError", "ImportError", "TemplateNotFound")


def link(names, folder):
    """Show the installed files of these distributions, and of no others, in a folder."""
    for name in names:
        found = distribution(name)
        site = Path(found.locate_file(""))
        for file in found.files:
            if ".." not in file.parts and file.suffix != ".pyc":
                target = folder / file
                target.parent.mkdir(parents=True, exist_ok=True)
                target.exists() or target.symlink_to(site / file)


@pytest.fixture
def served(tmp_path, redis_url, free_port):
    """Start a function as its image does; end it with SIGTERM."""
    processes = []

    def start(function):
        data = tmp_path / "data"
        data.mkdir()
        stage_files(closure(function).files, tmp_path / "app")
        link(closure(function).distributions, tmp_path / "lib")
        env = {**surroundings(function, data, redis_url), "PORT": str(free_port),
               "PYTHONPATH": f"{tmp_path}/app:{tmp_path}/lib", "PYTHONDONTWRITEBYTECODE": "1",
               "FUNCTION_SOURCE": f"{tmp_path}/app/{functions()[function]}"}
        with (tmp_path / "log").open("w") as log:
            processes.append(subprocess.Popen(
                [sys.executable, "-S", "-P", "-X", "importtime", "-m", "eventing.local.serve"],
                env=env, cwd=data, stdout=log, stderr=log))
        return processes[0]

    yield start
    for process in processes:
        process.kill()
        process.wait()


def answer(process, key, method, url):
    """Ask until the function listens; return the status."""
    until = time.monotonic() + STARTED_S
    while True:
        try:
            headers = {"authorization": f"Bearer {key}", **(EVENT if method == "POST" else {})}
            return httpx2.request(method, url, timeout=30, headers=headers, json={}).status_code
        except httpx2.ConnectError:
            assert process.poll() is None, "the function ended while starting"
            assert time.monotonic() < until, "the function does not listen"
            time.sleep(0.02)


@pytest.mark.parametrize("function", sorted(functions()))
def test_function_serves_from_its_closure_alone(served, tmp_path, free_port, function):
    process = served(function)
    key = (tmp_path / "data" / "api-key").read_text()
    here = f"http://127.0.0.1:{free_port}"
    asked = {f"{method} {path}": answer(process, key, method, here + path)
             for method, path in REQUESTS}
    process.send_signal(signal.SIGTERM)
    process.wait(30)

    log = (tmp_path / "log").read_text()
    assert asked.pop("GET /health") == asked.pop("GET /metrics") == 200
    assert 500 not in asked.values() or function in IN_A_CLUSTER, log[-9000:]
    assert not [line for line in log.splitlines() if any(sign in line for sign in CRASHED)], log
    assert process.returncode in (0, -signal.SIGTERM)
    loaded = {name.split(".")[0] for name in IMPORTED.findall(log)}
    there = {path.name for path in (tmp_path / "lib").iterdir()}
    assert {"functions_framework", "redis", "uvloop", "hiredis"} <= loaded & there
