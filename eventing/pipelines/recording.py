"""Writes down in Git which image an environment runs now, beside others who do the same."""

import subprocess
from pathlib import Path

from eventing.pipelines.errors import PipelineFault
from eventing.pipelines.pinning import FILE

ATTEMPTS_MAX = 5
"""Releases of other functions push to the same branch; five in a row never did."""

AUTHOR = ("-c", "user.name=tollgate-release", "-c", "user.email=release@tollgate.invalid")


def record(environment: str, function: str, image: str, *, folder: Path) -> bool:
    """Commit the environment's file of images and push it; tell whether there was anything new.

    `folder` is the repository's. The same again is nothing new.

    Raises:
        PipelineFault: Git refuses, or others pushed each time.
    """
    file = f"terraform/environments/{environment}/apps/{FILE}"
    _git(folder, "add", "--", file)
    if not _git(folder, "status", "--porcelain", "--", file):
        return False
    _git(folder, *AUTHOR, "commit", "--quiet", f"--message=Run {image} in {environment}",
         f"--message=Function: {function}", "--", file)
    for _ in range(ATTEMPTS_MAX):
        if _pushed(folder):
            return True
        _git(folder, *AUTHOR, "pull", "--quiet", "--rebase")
    raise PipelineFault(f"others pushed {ATTEMPTS_MAX} times meanwhile: push this commit by hand, "
                        f"or {environment} has an image that Git does not know")


def _pushed(folder: Path) -> bool:
    try:
        _git(folder, "push", "--quiet")
    except PipelineFault as fault:
        if "rejected" in str(fault):
            return False
        raise
    return True


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *words],  # noqa: S603, S607 - git's own
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise PipelineFault(f"git {' '.join(words)}: {(done.stderr or done.stdout).strip()}")
    return done.stdout.strip()
