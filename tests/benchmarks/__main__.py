"""Runs every measurement: `make bench`, or `python -m tests.benchmarks steps cold` for some."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.capacity import capacity
from tests.benchmarks.cold import cold
from tests.benchmarks.costs import costs
from tests.benchmarks.demo import demo
from tests.benchmarks.export import export
from tests.benchmarks.figures import table, write
from tests.benchmarks.growth import growth
from tests.benchmarks.imports import imports
from tests.benchmarks.ledger import batch, load, paced, reserve, script, whole
from tests.benchmarks.litellm import litellm
from tests.benchmarks.memory import memory
from tests.benchmarks.page import page
from tests.benchmarks.rollouts import rollouts
from tests.benchmarks.steps import overhead

MEASUREMENTS = {"cold": cold, "steps": overhead, "reserve": reserve, "load": load,
                "whole": whole, "paced": paced, "batch": batch, "litellm": litellm,
                "script": script, "memory": memory, "demo": demo, "growth": growth,
                "capacity": capacity, "imports": imports, "rollouts": rollouts, "costs": costs,
                "export": export, "page": page}


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


def _names():
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description=main.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(f"  {name:<10} {what.__doc__.splitlines()[0]}"
                         for name, what in MEASUREMENTS.items()))
    parser.add_argument("names", nargs="*", choices=[[], *MEASUREMENTS], metavar="NAME",
                        help="some of them; without any: all, and bench.json is written")
    return parser.parse_args().names


main(_names())
