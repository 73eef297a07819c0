"""Runs small manifests, in this process or as the command."""

import os
import signal
import subprocess
import sys

import httpx2
import pytest
import yaml

from eventing.local.options import RuntimeOptions, Scale
from eventing.local.runtime import Runtime


@pytest.fixture
def write(tmp_path):
    def documents(*objects):
        folder = tmp_path / "manifests"
        folder.mkdir(exist_ok=True)
        (folder / "all.yaml").write_text(yaml.safe_dump_all(objects))
        return folder
    return documents


@pytest.fixture
def run(tmp_path, write):
    """Return a runtime of these objects, to be entered."""
    def runtime(*objects, window_s=60.0, **options):
        return Runtime(write(*objects), RuntimeOptions(
            tmp_path / "data", scale=Scale(window_s=window_s), **options))
    return runtime


@pytest.fixture
async def http():
    async with httpx2.AsyncClient(timeout=60) as client:
        yield client


@pytest.fixture
def command(tmp_path):
    """Start `python -m eventing.local`; whatever is left of it is killed at the end."""
    started = []

    def start(folder, *arguments, env=None):
        process = subprocess.Popen(
            [sys.executable, "-m", "eventing.local", "--manifests", folder,
             "--data", tmp_path / "data", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={n: v for n, v in os.environ.items() if n != "REDIS_URL"} | (env or {}))
        started.append(process)
        return process
    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.communicate()
