"""Memory of the idle system: runtime, Redis and ledger up, the rest at zero."""

import asyncio
import json
import subprocess
import sys

from tests.benchmarks.figures import Figure
from tests.benchmarks.rig import ROOT, descendants, pss_mib


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
        processes = [runtime.pid, *descendants(runtime.pid)]
        assert len(processes) >= 3, addresses
        size = pss_mib(processes)
    finally:
        runtime.terminate()
        runtime.wait(20)
        runtime.stdout.close()
    return [Figure("memory (PSS), idle", size, "MiB", 220)]
