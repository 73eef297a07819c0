"""Runs every test that breaks things on purpose: `make chaos`, or `python -m tests.chaos`.

The seed decides what is left to chance: sequences of calls, trees of tasks, where files are cut. It
is printed first and last; the same seed tries the same again.
"""

import argparse
import os
import secrets
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
LEDGER = HERE.parent / "integration" / "ledger"
SUITES = (HERE, *(LEDGER / f"test_{name}.py" for name in (
    "proof", "concurrency", "redis_faults", "redis_cluster", "outages", "outbox", "caps",
    "two_releases")))


def main(arguments):
    """Run the suites under a seed; return pytest's exit code."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=None, help="repeat the run of this seed")
    parser.add_argument("rest", nargs="*", help="passed on to pytest, after --")
    options = parser.parse_args(arguments)
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    print(f"chaos with seed {seed}; again: make chaos SEED={seed}", flush=True)  # noqa: T201
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile",
               f"--hypothesis-seed={seed}", *map(str, SUITES), *options.rest]
    code = subprocess.run(command, check=False, env={
        **os.environ, "TOLLGATE_CHAOS_SEED": str(seed)}).returncode
    print(f"chaos with seed {seed}: {'passed' if code == 0 else f'failed ({code})'}")  # noqa: T201
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
