"""Starts the embedded runtime as a process of its own, and ends it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from eventing.cli.exits import Exit, Failure
from eventing.cli.place import alive

STOP_S = 30.0
"""Longer than the runtime gives to requests that run when it is asked to end."""

POLL_S = 0.05


def command(data: Path, *arguments: str) -> list[str]:
    """Return the command line of the runtime."""
    return [sys.executable, "-m", "eventing.local", "--json", "--data", str(data), *arguments]


def start(arguments: Sequence[str], env: Mapping[str, str], log: Path,
          ) -> "tuple[subprocess.Popen[str], dict[str, Any]]":
    """Start the runtime; return its process and, when it is ready, its one line.

    It has a session of its own: a terminal's Ctrl-C reaches it through its starter only.

    Raises:
        Failure: it ended before it was ready; says why.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as errors:
        process = subprocess.Popen(  # noqa: S603 - our own module
            arguments, env=dict(env), stdout=subprocess.PIPE, stderr=errors, text=True,
            start_new_session=True)
    try:
        return process, json.loads(_first_line(process.stdout))
    except ValueError:
        process.wait()
        said = log.read_text().strip()
        if process.returncode == Exit.USAGE:
            raise Failure(Exit.USAGE, said, where=str(log),
                          do="correct what is named, and start again") from None
        raise Failure(Exit.FAILED, said or "the runtime ended at once", where=str(log),
                      do="check the machine: tollgate doctor") from None
    except BaseException:
        end(process.pid)
        raise


def _first_line(stream: IO[str] | None) -> str:
    return stream.readline() if stream else ""


def end(pid: int, timeout_s: float = STOP_S) -> bool:
    """Ask a runtime to end and wait; kill it after `timeout_s`. False if it had to be killed."""
    if not _signal(pid, signal.SIGTERM):
        return True
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        if _gone(pid):
            return True
        time.sleep(POLL_S)
    _signal(pid, signal.SIGKILL)
    return False


def _signal(pid: int, number: signal.Signals) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def _gone(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid  # reaps it, if it is ours
    except ChildProcessError:
        return not alive(pid)
