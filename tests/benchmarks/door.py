"""Starts one function as a process of its own, as its image does."""

import json
import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx2

from shared.auth import hash_key

KEY = "tg_bench"
ROOT = Path(__file__).parents[2]


@contextmanager
def served(folder, redis_url, tenant):
    """Yield costs' process and its address; `KEY` reads the tenant's costs."""
    keys = keys_file(folder, tenant, "costs")
    with process("costs", REDIS_URL=redis_url, LEDGER_URL="http://127.0.0.1:9",
                 TOLLGATE_API_KEYS=str(keys)) as found:
        yield found


def keys_file(folder, tenant, right):
    """Write the file of API keys, in which `KEY` has one right; return its path."""
    path = folder / "keys.json"
    path.write_text(json.dumps(
        [{"key_sha256": hash_key(KEY), "tenant": tenant, "rights": [right]}]))
    return path


@contextmanager
def process(function, **env):
    """Yield the process of a function, once it answers, and its address."""
    port = free_port()
    started = subprocess.Popen(
        [sys.executable, "-m", "eventing.local.serve", "--source",
         str(ROOT / "functions" / function / "main.py")], cwd=ROOT, stderr=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "PORT": str(port), **env})
    try:
        _until_ready(f"http://127.0.0.1:{port}")
        yield started, f"http://127.0.0.1:{port}"
    finally:
        started.kill()
        started.wait(20)


def free_port():
    """Return a port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _until_ready(url):
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        try:
            httpx2.get(f"{url}/health")
        except httpx2.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"no answer from {url}")
