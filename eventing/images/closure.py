"""What a function needs: the project's files it reaches by imports, and distributions from outside.

Images contain exactly this, pipelines watch exactly this. `closure("calculator")` answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

import eventing
from eventing.images.distributions import required
from eventing.images.errors import UnknownFunction
from eventing.images.sources import PACKAGES, data_of, imported, module_file, packages_above

ROOT = Path(eventing.__file__).resolve().parents[1]
MANIFESTS = ROOT / "knative" / "base"
SOURCE = "tollgate.dev/source"
"""The annotation of a Service that names its function's `main.py`."""

SERVER = "eventing.local.serve"
"""The module that every image starts; it imports the function by its path."""


@dataclass(frozen=True, slots=True)
class Closure:
    """Everything that one function needs beside Python."""

    files: tuple[Path, ...]
    """Paths relative to the project's root, sorted: modules, and the data that they read."""

    distributions: tuple[str, ...]
    """Normalised names of what the lock must provide, sorted, with what those require."""


@cache
def functions() -> Mapping[str, Path]:
    """Return name → `main.py`, relative to `ROOT`, of every function that has a manifest."""
    found: dict[str, Path] = {}
    for file in sorted(MANIFESTS.glob("*/service.yaml")):
        metadata = yaml.safe_load(file.read_text())["metadata"]
        found[metadata["name"]] = Path(metadata["annotations"][SOURCE])
    return found


@cache
def closure(function: str) -> Closure:
    """Return what a function needs, by its name. Reads files, runs none of them.

    Raises:
        UnknownFunction: no manifest names it.
    """
    modules, outside = _reached(main_of(function))
    data = {path for module in modules if module.name in ("__init__.py", "main.py")
            for path in data_of(module.parent)}
    files = sorted(file.relative_to(ROOT) for file in modules | data)
    return Closure(tuple(files), required(outside))


def main_of(function: str) -> Path:
    """Return the absolute path of a function's `main.py`.

    Raises:
        UnknownFunction: no manifest names it.
    """
    known = functions()
    if function not in known:
        raise UnknownFunction(f"no function is called {function!r}; there are: {', '.join(known)}")
    return ROOT / known[function]


def _reached(main: Path) -> tuple[set[Path], set[str]]:
    """Return the project's modules reached from `main.py` and the server, and the names outside."""
    server = ROOT.joinpath(*SERVER.split(".")).with_suffix(".py")
    waiting, reached, outside = [main, server], set[Path](), set[str]()
    while waiting:
        file = waiting.pop()
        if file in reached:
            continue
        reached.add(file)
        waiting += packages_above(file, ROOT)
        for name in imported(file):
            if name.split(".")[0] not in PACKAGES:
                outside.add(name)
            elif (module := module_file(ROOT, name)) is not None:
                waiting.append(module)
    return reached, outside
