"""The commit that an image stands for."""

from functools import cache

from eventing.images.closure import ROOT, closure
from eventing.images.command import call
from eventing.images.errors import CommandFailed

ALSO = ("functions/Dockerfile", "requirements/run.txt")
"""What goes into an image beside what its function imports."""


def revision_of(function: str) -> tuple[str, str]:
    """Return the commit that last changed what goes into the image, and its time.

    Not the newest commit: an image changes only when its function does. `-dirty` is appended
    where a file differs from the commit; both are empty without Git.
    """
    files = (*map(str, closure(function).files), *ALSO)
    commit, _, created = _git("log", "-1", "--format=%H %cI", "--", *files).partition(" ")
    dirty = "-dirty" if commit and _git("status", "--porcelain", "--", *files) else ""
    return commit + dirty, created


@cache
def source_url() -> str:
    """Return where the project's Git repository is, without a name or password; or nothing."""
    scheme, _, rest = _git("config", "--get", "remote.origin.url").partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}" if rest else ""


def _git(*words: str) -> str:
    try:
        return call("git", *words, cwd=ROOT).strip()
    except CommandFailed:
        return ""
