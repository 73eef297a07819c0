"""Memory of the idle system: runtime, Redis and ledger up, the rest at zero."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.figures import Figure
from tests.benchmarks.rig import ROOT


async def memory(folder):
    """Return the sum of the proportional set sizes of everything the runtime started."""
    data = folder / "data"
    runtime = subprocess.Popen(  # its own process: this one holds the benchmark
        [sys.executable, "-m", "eventing.local", "--data", str(data), "--port", "0",
         "--window-s", "1"], stdout=subprocess.PIPE, cwd=ROOT)
    try:
        assert runtime.stdout is not None
        addresses = json.loads(await asyncio.to_thread(runtime.stdout.readline))["addresses"]
        await asyncio.sleep(5)
        processes = [runtime.pid, *_descendants(runtime.pid)]
        assert len(processes) >= 3, addresses
        size = sum(_pss_kib(pid) for pid in processes)
    finally:
        runtime.terminate()
        runtime.wait(20)
        runtime.stdout.close()
    return [Figure("memory (PSS), idle", size / 1024, "MiB", 220)]


def _descendants(pid):
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if parent == pid:
                found += [int(entry.name), *_descendants(int(entry.name))]
    return found


def _pss_kib(pid):
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise AssertionError(f"no Pss of {pid} (running as {os.getuid()})")
