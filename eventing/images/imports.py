"""Measures what the import of each function costs, beside a bare function's."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from eventing.images.budget import MODULES_RATIO_MAX, forbidden, too_many
from eventing.images.closure import ROOT, functions, main_of
from eventing.images.command import LINES_SHOWN
from eventing.images.errors import CommandFailed
from eventing.images.surroundings import surroundings

BARE = "async def handle(request):\n    return 'ok'\n"
"""The least that the functions framework serves."""

ROUNDS = 3
"""The quickest of so many imports counts: the others were disturbed."""

_TIME = re.compile(r"^import time: +(\d+) \|", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one import took."""

    function: str
    modules: frozenset[str]
    """Names of all modules that were loaded, Python's own included."""

    time_ms: float
    """Time in imports alone, as Python counts it; counting makes it longer."""

    @property
    def forbidden(self) -> tuple[str, ...]:
        """Modules that this function must not load."""
        return tuple(forbidden(self.function, self.modules))


def costs_of(names: Iterable[str] | None = None, rounds: int = ROUNDS) -> tuple[Cost, list[Cost]]:
    """Return the bare function's cost, and that of each named function (default: of all).

    Raises:
        UnknownFunction: no manifest describes one of them.
        CommandFailed: a function cannot be imported.
    """
    with TemporaryDirectory() as folder:
        (bare := Path(folder) / "bare.py").write_text(BARE)
        starts = {"bare": (bare, {"PATH": os.defpath})}
        for name in functions() if names is None else names:
            starts[name] = (main_of(name), surroundings(name, Path(folder)))
        runs = [{name: _run(name, *start) for name, start in starts.items()}
                for _ in range(rounds)]  # one after the other: a disturbance meets all
    first, *others = [_cost(name, [each[name] for each in runs]) for name in starts]
    return first, others


def _cost(function: str, runs: Sequence[subprocess.CompletedProcess[str]]) -> Cost:
    return Cost(function, frozenset(json.loads(runs[0].stdout)),
                min(sum(map(int, _TIME.findall(run.stderr))) for run in runs) / 1000)


def _run(function: str, source: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-X", "importtime", "-m", "eventing.images.probe", source)
    done = subprocess.run(  # noqa: S603 - our own module
        command, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if not _TIME.match(line)]
        raise CommandFailed(f"{function} cannot be imported:\n"
                            + "\n".join(said[-LINES_SHOWN:]))
    return done


def as_json(bare: Cost, costs: Iterable[Cost]) -> str:
    """Return the measurement as JSON: function → modules, ratios, milliseconds, forbidden."""
    return json.dumps({cost.function: {
        "modules": len(cost.modules), "modules_ratio": round(_ratio(cost, bare), 3),
        "time_ms": round(cost.time_ms, 1), "time_ratio": round(cost.time_ms / bare.time_ms, 3),
        "forbidden": list(cost.forbidden)} for cost in (bare, *costs)}, indent=2)


def as_table(bare: Cost, costs: Sequence[Cost]) -> str:
    """Return the measurement as lines of text."""
    lines = [f"{'function':<14} {'modules':>7} {'÷ bare':>7} {'import ms':>10} {'÷ bare':>7}"]
    lines += [
        f"{cost.function:<14} {len(cost.modules):>7} {_ratio(cost, bare):>7.2f} "
        f"{cost.time_ms:>10.0f} {cost.time_ms / bare.time_ms:>7.2f}" for cost in (bare, *costs)]
    return "\n".join([*lines, *excesses(bare, costs)])


def excesses(bare: Cost, costs: Iterable[Cost]) -> Iterator[str]:
    """Yield a line for each way in which a function passes its budget."""
    for cost in costs:
        if too_many(len(cost.modules), len(bare.modules)):
            yield (f"{cost.function} loads {_ratio(cost, bare):.2f} times the modules of a bare "
                   f"function; at most {MODULES_RATIO_MAX}")
        if cost.forbidden:
            yield f"{cost.function} must not load {', '.join(cost.forbidden)} while it starts"


def _ratio(cost: Cost, bare: Cost) -> float:
    return len(cost.modules) / len(bare.modules)
