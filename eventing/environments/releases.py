"""Pins the release manifests in a folder: `python -m eventing.environments.releases FOLDER`.

The folder holds one folder for each release (`serving`, `eventing`, …) with its YAML files, as the
operator downloaded and read them, and a file `VERSION` with the exact version. The answer is JSON
for the variable `releases` of the stack messaging: later applies accept these bytes and no others.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path

PATTERNS = ("*.yaml", "*.yml")


def pins(folder: Path) -> dict[str, dict[str, object]]:
    """Return version and SHA-256 of every release in the folder.

    Raises:
        ValueError: there is none, or one lacks its version or its manifests.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder: give the one that holds the releases' folders")
    found = {path.name: _pin(path) for path in sorted(folder.iterdir()) if path.is_dir()}
    if not found:
        raise ValueError(f"{folder} holds no folder: make one for each release")
    return found


def _pin(release: Path) -> dict[str, object]:
    version = release / "VERSION"
    files = sorted(path for pattern in PATTERNS for path in release.glob(pattern))
    if not version.is_file():
        raise ValueError(f"write the version of {release.name} into {version}")
    if not files:
        raise ValueError(f"{release} holds no *.yaml: download the release's manifests there")
    return {"version": version.read_text().strip(),
            "files": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}}


def main(args: list[str]) -> int:
    """Print the pins as JSON and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m eventing.environments.releases", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="it holds a folder for each release")
    try:
        found = pins(parser.parse_args(args).folder)
    except ValueError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    sys.stdout.write(json.dumps({"releases": found}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
