"""Starts costs as a process of its own, as its image does."""

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
MAIN = Path(__file__).parents[2] / "functions" / "costs" / "main.py"


@contextmanager
def served(folder, redis_url, tenant):
    """Yield the process and its address; `KEY` reads the tenant's costs."""
    (folder / "keys.json").write_text(json.dumps(
        [{"key_sha256": hash_key(KEY), "tenant": tenant, "rights": ["costs"]}]))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "eventing.local.serve", "--source", str(MAIN)], cwd=MAIN.parents[2],
        stderr=subprocess.DEVNULL, env={
            "PATH": os.environ["PATH"], "PORT": str(port), "REDIS_URL": redis_url,
            "LEDGER_URL": "http://127.0.0.1:9", "TOLLGATE_API_KEYS": str(folder / "keys.json")})
    try:
        _until_ready(f"http://127.0.0.1:{port}")
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait(20)


def _until_ready(url):
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        try:
            httpx2.get(f"{url}/health")
        except httpx2.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("costs does not answer")
