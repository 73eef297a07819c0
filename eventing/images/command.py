"""Runs pip, Git, apt and image builders."""

import subprocess
from pathlib import Path

from eventing.images.errors import CommandFailed

LINES_SHOWN = 20
"""The end of what a program said names the fault; what comes before repeats its input."""


def call(*words: str | Path, cwd: Path | None = None) -> str:
    """Run a program to its end and return its output.

    Raises:
        CommandFailed: it failed or is not there.
    """
    try:
        done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)
    except OSError as error:
        raise CommandFailed(f"{words[0]} cannot be run: {error.strerror}") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[-LINES_SHOWN:]
        raise CommandFailed(f"{_name(words)} failed:\n" + "\n".join(said))
    return done.stdout


def succeeds(*words: str | Path) -> bool:
    """Tell whether a program is there and ends with code 0."""
    try:
        call(*words)
    except CommandFailed:
        return False
    return True


def _name(words: tuple[str | Path, ...]) -> str:
    return f"{Path(words[0]).name} {' '.join(str(word) for word in words[1:4])}"
