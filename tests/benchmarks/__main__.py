"""Runs every measurement: `make bench`, or `python -m tests.benchmarks steps cold` for some."""

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.capacity import capacity
from tests.benchmarks.cold import cold
from tests.benchmarks.costs import costs
from tests.benchmarks.demo import demo
from tests.benchmarks.figures import table, write
from tests.benchmarks.growth import growth
from tests.benchmarks.imports import imports
from tests.benchmarks.ledger import load, reserve, script
from tests.benchmarks.memory import memory
from tests.benchmarks.page import page
from tests.benchmarks.rollouts import rollouts
from tests.benchmarks.steps import overhead

MEASUREMENTS = {"cold": cold, "steps": overhead, "reserve": reserve, "load": load,
                "script": script, "memory": memory, "demo": demo, "growth": growth,
                "capacity": capacity, "imports": imports,
                "rollouts": rollouts, "costs": costs, "page": page}


def main(names):
    """Measure, print the table, write bench.json; misses are shown, not hidden by an exit code."""
    figures = []
    for name in names or MEASUREMENTS:
        print(f"measuring {name} …", file=sys.stderr, flush=True)  # noqa: T201
        with tempfile.TemporaryDirectory() as folder:
            figures += asyncio.run(MEASUREMENTS[name](Path(folder)))
    print(table(figures))  # noqa: T201
    if not names:
        write(figures, Path("bench.json"))


main(sys.argv[1:])
