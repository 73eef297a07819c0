"""The first moments of a command."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from eventing.cli.entry import INTERRUPTED
from eventing.cli.exits import Exit
from tests.foreground import in_foreground

INTERRUPTED_AT = """
import os, signal, sys

class Tripwire:
    def find_spec(self, name, *_):
        if name == "{module}":
            os.kill(os.getpid(), signal.SIGINT)

if "{ignored}":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
sys.meta_path.insert(0, Tripwire())
sys.argv = ["tollgate", "budget", "list", "--data", "/nowhere"]
from eventing.cli.entry import run
run()
"""


def interrupted(module, ignored=""):
    return subprocess.run(
        in_foreground(sys.executable, "-c", INTERRUPTED_AT.format(module=module, ignored=ignored)),
        check=False, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("module", ["eventing.cli.main", "typer", "eventing.cli.task_commands",
                                    "eventing.cli.budget_changes", "httpx2"])
def test_interrupt_is_quiet_whatever_is_being_imported(module):
    done = interrupted(module)

    assert (done.returncode, done.stdout, done.stderr) == (Exit.INTERRUPTED, "", "")


def test_interrupt_that_the_shell_ignores_stays_ignored():
    assert interrupted("typer", ignored="yes").returncode == Exit.UNREACHABLE


def test_command_begins_where_interrupts_are_quiet():
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]

    assert project["scripts"]["tollgate"] == "eventing.cli.entry:run"
    assert INTERRUPTED == Exit.INTERRUPTED
