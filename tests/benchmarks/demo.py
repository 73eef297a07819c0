"""Time of `tollgate demo`, after set-up."""

import subprocess
import sys
import time

from tests.benchmarks.figures import Figure


async def demo(_folder):
    """Return the seconds that the demo takes as its user sees it."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "eventing.cli.main", "demo", "--json"], check=False,
        capture_output=True, timeout=120)
    took = time.perf_counter() - began
    assert done.returncode == 0, done.stderr.decode()[-2000:] + done.stdout.decode()[-2000:]
    return [Figure("make demo after set-up", took, "s", 20)]
