"""Lays out what a builder gets: the function's own files, and the wheels of its requirements.

Packages are fetched here, with this machine's index settings, for the images' platform: the build
itself has no network and sees no credentials. ADR 0013 says why.
"""

import hashlib
import os
import shutil
import sys
import sysconfig
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from eventing.images.closure import ROOT, closure, functions, main_of
from eventing.images.command import call
from eventing.images.distributions import IMAGE_PYTHON, locked
from eventing.images.sbom import bill

EPOCH_S = 315_532_800
"""1980-01-01, the first moment that zip files know. Every staged file has it, so that equal
content gives equal layers whenever and wherever it is built."""

LOCK = ROOT / "requirements" / "run.txt"
FOLDER = ROOT / "build" / "images"
"""Where images are made and, where no other place is given, put."""

FETCHED = FOLDER / "packages"
"""Where fetched packages are kept, by the digest of the lines that pin them."""

GLIBC_MAX = 36
"""glibc 2.36 is Debian 12's: a wheel built for a later one would not load."""


def stage(function: str, folder: Path) -> Path:
    """Write the build context of a function into a folder that is made anew; return the folder.

    `app/` holds the function's files, `common/` what every function requires, `own/` the rest,
    `sbom.cdx.json` the bill of both.

    Raises:
        UnknownFunction: no manifest names the function.
        CommandFailed: pip cannot provide a package.
    """
    reached = closure(function)
    shutil.rmtree(folder, ignore_errors=True)
    stage_files(reached.files, folder / "app")
    shared = in_common()
    own = set(reached.distributions) - shared
    _link(packages(shared), folder / "common")
    _link(packages(own), folder / "own")
    sbom = bill(function, [folder / "common", folder / "own"], reached.files)
    (folder / "sbom.cdx.json").write_text(sbom)
    settle(folder)
    return folder


def stage_files(files: Iterable[Path], folder: Path) -> None:
    """Copy files of the project, given relative to its root, to the same places in a folder."""
    for file in files:
        target = folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / file, target)


def in_common() -> set[str]:
    """Return the distributions that every function requires: they share one layer."""
    return set.intersection(*(set(closure(name).distributions) for name in functions()))


def packages(names: Iterable[str]) -> Path:
    """Return a folder with the pinned distributions unpacked, fetched once per set of pins.

    Raises:
        CommandFailed: pip's own words say which and why.
    """
    pins = locked(names, LOCK)
    digest = hashlib.sha256(f"{IMAGE_PYTHON} {pins}".encode()).hexdigest()[:16]
    folder = FETCHED / digest
    if not folder.exists():
        FETCHED.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=FETCHED) as partial:
            lock, fetched = Path(partial) / "lock.txt", Path(partial) / "packages"
            lock.write_text(pins)
            _fetch(lock, fetched)
            _strip(fetched)
            with suppress(OSError):  # another build was faster
                fetched.rename(folder)
    return folder


def _fetch(lock: Path, folder: Path) -> None:
    """Unpack the wheels that the lock pins, those of the images' platform whatever runs this."""
    machine = sysconfig.get_platform().rpartition("-")[2]
    platforms = [f"manylinux_2_{minor}_{machine}" for minor in range(GLIBC_MAX, 16, -1)]
    call(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
         "--no-deps", "--require-hashes", "--no-compile", "--only-binary=:all:",
         "--implementation=cp", f"--python-version={IMAGE_PYTHON}",
         *(f"--platform={platform}" for platform in (*platforms, f"manylinux2014_{machine}")),
         f"--target={folder}", f"--requirement={lock}")


def _strip(folder: Path) -> None:
    """Remove what differs between two installations, and programs that nobody calls."""
    shutil.rmtree(folder / "bin", ignore_errors=True)
    for info in folder.glob("*.dist-info"):
        for name in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json"):
            (info / name).unlink(missing_ok=True)


def _link(source: Path, target: Path) -> None:
    shutil.copytree(source, target, copy_function=os.link)


def settle(folder: Path) -> None:
    """Give everything in a folder one time and the plainest mode."""
    for path in sorted(folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (EPOCH_S, EPOCH_S))


def describe(function: str) -> str:
    """Return the first sentence of the function's package: what comes in, what goes out."""
    text = (main_of(function).parent / "__init__.py").read_text()
    return text.strip('"\n ').split("\n")[0].rstrip(".")
