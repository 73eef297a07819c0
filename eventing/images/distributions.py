"""Distributions from outside: which one an import needs, what it requires, how the lock pins it."""

import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from eventing.images.errors import NotInstalled

BY_NAME = {
    "uvicorn": ("httptools", "uvloop"),  # eventing/local/serve.py chooses them by a word
    "redis": ("hiredis", "async-timeout"),  # redis takes the first if it is there
}
"""Distributions that a library finds by itself, without an import of ours."""

IMAGE_PYTHON = "3.11"
"""The Python of the images' base, whichever Python builds them."""

_THERE = {"extra": "", "python_version": IMAGE_PYTHON, "python_full_version": f"{IMAGE_PYTHON}.0",
          "sys_platform": "linux", "platform_system": "Linux", "os_name": "posix",
          "implementation_name": "cpython", "platform_python_implementation": "CPython"}
"""What requirements are evaluated for."""

_PIN = re.compile(r"^(?P<name>[\w.-]+)==.*?(?=^\S|\Z)", re.MULTILINE | re.DOTALL)


def required(names: Iterable[str]) -> tuple[str, ...]:
    """Return the distributions behind imported names and all that these require, sorted.

    Markers are evaluated for the images' Python on Linux, not for the one that runs this.

    Raises:
        NotInstalled: a name comes from nowhere; run `make setup`.
    """
    waiting = {provider for name in names for provider in _providers(name)}
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= set(_requirements(name)) - found
    return tuple(sorted(found))


@cache
def _top_level() -> dict[str, list[str]]:
    return {top: [canonicalize_name(n) for n in names]
            for top, names in packages_distributions().items()}


def _providers(name: str) -> list[str]:
    """Return who provides an imported name; several share a namespace such as `opentelemetry`."""
    top = name.partition(".")[0]
    if top in sys.stdlib_module_names:
        return []
    providers = _top_level().get(top)
    if not providers:
        raise NotInstalled(f"nothing that is installed provides {top!r}: run `make setup`")
    return [p for p in providers if len(providers) == 1 or _holds(p, name)]


def _holds(provider: str, name: str) -> bool:
    """Tell whether a distribution has the module, or the module that the name is in."""
    parts = name.split(".")
    paths = {"/".join(parts[:n]) for n in range(2, len(parts) + 1)}
    files = distribution(provider).files or []
    return any(str(file.parent) in paths or str(file.with_suffix("")) in paths for file in files)


def _requirements(name: str) -> Iterator[str]:
    yield from BY_NAME.get(name, ())
    for line in distribution(name).requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate(_THERE):
            yield canonicalize_name(requirement.name)


def locked(names: Iterable[str], lock: Path) -> str:
    """Return the lines of a lock, hashes included, that pin these distributions.

    Raises:
        NotInstalled: the lock does not pin one of them; run `make lock`.
    """
    pins: dict[str, str] = {canonicalize_name(pin["name"]): pin.group()
                            for pin in _PIN.finditer(lock.read_text())}
    missing = sorted(set(names) - set(pins))
    if missing:
        raise NotInstalled(f"{lock.name} does not pin {', '.join(missing)}: run `make lock`")
    return "".join(pins[name] for name in sorted(names))
