"""Writes down in Git which image an environment runs now, beside others who do the same."""

from pathlib import Path

from eventing.images.command import call
from eventing.images.errors import CommandFailed
from eventing.pipelines.errors import PipelineFault
from eventing.pipelines.pinning import FILE

ATTEMPTS_MAX = 5
"""Releases of other functions push to the same branch; five in a row never did."""

AUTHOR = ("-c", "user.name=tollgate-release", "-c", "user.email=release@tollgate.invalid")


def record(environment: str, function: str, image: str, *, folder: Path) -> bool:
    """Commit the environment's file of images and push it; tell whether there was anything new.

    `folder` is the repository's. The same again is nothing new.

    Raises:
        CommandFailed: Git refuses. PipelineFault: others pushed each time.
    """
    file = f"terraform/environments/{environment}/apps/{FILE}"
    call("git", "add", "--", file, cwd=folder)
    if not call("git", "status", "--porcelain", "--", file, cwd=folder).strip():
        return False
    call("git", *AUTHOR, "commit", "--quiet", f"--message=Run {image} in {environment}",
         f"--message=Function: {function}", "--", file, cwd=folder)
    for _ in range(ATTEMPTS_MAX):
        if _pushed(folder):
            return True
        call("git", *AUTHOR, "pull", "--quiet", "--rebase", cwd=folder)
    raise PipelineFault(f"others pushed {ATTEMPTS_MAX} times meanwhile: push this commit by hand, "
                        f"or {environment} has an image that Git does not know")


def _pushed(folder: Path) -> bool:
    try:
        call("git", "push", "--quiet", cwd=folder)
    except CommandFailed as fault:
        if "rejected" in str(fault):
            return False
        raise
    return True
