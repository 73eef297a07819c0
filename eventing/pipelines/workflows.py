"""Writes one workflow per function, which starts when something changes that the function runs on.

The paths are the function's import closure, file by file: a change elsewhere rebuilds nothing. What
the workflow then does is the same for all, and stands in deliver.yml.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from eventing.images.closure import ROOT, closure, functions

FOLDER = ROOT / ".github" / "workflows"
ALWAYS = ("functions/Dockerfile", "requirements/run.txt", ".github/workflows/deliver.yml")
"""What every image is made with, whatever it contains."""

WORKFLOW = """\
# Written by `make pipelines`: the paths are what the function imports.
name: {name}
on:
  push:
    branches: [main]
    paths:
{paths}
  pull_request:
    paths:
{paths}
permissions:
  contents: read
  id-token: write
jobs:
  deliver:
    uses: ./.github/workflows/deliver.yml
    with:
      function: {name}
    secrets: inherit
"""


@cache
def watched(function: str) -> tuple[str, ...]:
    """Return the path filters of a function: its folder, what it imports, its manifests.

    Raises:
        UnknownFunction: no manifest names it.
    """
    folder = functions()[function].parent
    own = f"{folder.as_posix()}/**"
    elsewhere = (file.as_posix() for file in closure(function).files
                 if not file.is_relative_to(folder))
    return (own, f"knative/base/{function}/**", *sorted({*elsewhere, *ALWAYS}))


def workflows() -> Iterator[tuple[Path, str]]:
    """Return the file and text of each function's workflow."""
    for name in functions():
        paths = "\n".join(f"      - {pattern}" for pattern in watched(name))
        yield FOLDER / f"function-{name}.yml", WORKFLOW.format(name=name, paths=paths)


def write() -> list[Path]:
    """Write the workflows anew, remove those of functions that are gone; return what changed."""
    wanted = dict(workflows())
    changed = [file for file in FOLDER.glob("function-*.yml") if file not in wanted]
    for file in changed:
        file.unlink()
    for file, text in wanted.items():
        if not file.exists() or file.read_text() != text:
            file.write_text(text)
            changed.append(file)
    return changed
