"""Runs Terraform: its progress goes through, its errors are kept, an interrupt waits for it."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

from eventing.environments.stacks import Failed

WAITING = ("\nInterrupted: waiting for Terraform to end what it has begun and to write its state.\n"
           "A second interrupt ends it at once, and may leave things that no state knows.\n")


class Interrupted(Exception):
    """Somebody asked to stop, and Terraform has stopped."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended."""

    code: int
    output: str
    """What it wrote to stdout, if that was asked for."""
    errors: str


def terraform(root: Path, arguments: Sequence[str], environ: Mapping[str, str], *,
              quiet: bool = False) -> Outcome:
    """Run Terraform in `root`; unless `quiet`, its output goes where ours goes.

    Raises:
        Failed: it is not installed.
        Interrupted: SIGINT or SIGTERM came meanwhile; it was passed on, and Terraform has ended.
    """
    command = ["terraform", f"-chdir={root}", *arguments]
    if not sys.stdout.isatty():
        environ = {"TF_CLI_ARGS_plan": "-no-color", "TF_CLI_ARGS_apply": "-no-color",
                   "TF_CLI_ARGS_init": "-no-color", **environ}
    try:
        process = subprocess.Popen(  # noqa: S603
            command, env=dict(environ), text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if quiet else None, stderr=subprocess.PIPE,
            # A terminal's Ctrl-C would reach it beside us, and twice means "at once".
            start_new_session=True)
    except FileNotFoundError as error:
        raise Failed("terraform is not in PATH: install Terraform 1.11 or later") from error
    with process, _passed_on(process) as asked:
        output, errors = _read(process, quiet)
    if asked:
        raise Interrupted
    return Outcome(process.returncode, output, errors)


def _read(process: "subprocess.Popen[str]", quiet: bool) -> tuple[str, str]:
    if quiet:
        output, errors = process.communicate()
        if process.returncode:
            sys.stderr.write(errors)
        return output, errors
    errors = "".join(_echoed(process.stderr))
    process.wait()
    return "", errors


def _echoed(stream: IO[str] | None) -> Iterator[str]:
    for line in stream or ():
        sys.stderr.write(line)
        sys.stderr.flush()
        yield line


@contextmanager
def _passed_on(process: "subprocess.Popen[str]") -> Iterator[list[int]]:
    """Pass interrupts on to Terraform, which ends in order; yield those that came."""
    asked: list[int] = []

    def passed_on(number: int, _frame: FrameType | None) -> None:
        if not asked:
            sys.stderr.write(WAITING)
        asked.append(number)
        process.send_signal(signal.SIGINT)

    before = {number: signal.signal(number, passed_on)
              for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
