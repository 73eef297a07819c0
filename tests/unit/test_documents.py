"""What the documents name exists: commands, targets, files, tests, routes, variables."""

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from eventing.cli.main import app

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```(?:bash|sh)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")

documents = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.name)


def lines_of(document):
    return [line for block in BLOCK.findall(document.read_text()) for line in block.splitlines()]


@documents
def test_links_lead_somewhere(document):
    broken = [link for link in LINK.findall(document.read_text())
              if not (document.parent / link).exists()]

    assert not broken


@documents
def test_make_targets_exist(document):
    rules = [ROOT / "Makefile", *ROOT.glob("*/**/*.mk")]
    targets = {name for file in rules
               for name in re.findall(r"^([a-z-]+):", file.read_text(), re.MULTILINE)}
    named = {m for line in lines_of(document) for m in re.findall(r"\bmake ([a-z-]+)", line)}

    assert named <= targets


@documents
def test_commands_exist_with_their_options(document):
    for line in lines_of(document):
        if line.startswith("tollgate "):
            command, rest = get_command(app), shlex.split(line, comments=True)[1:]
            while rest and rest[0] in getattr(command, "commands", {}):
                command, rest = command.commands[rest[0]], rest[1:]
            command.make_context("tollgate", list(rest))


def test_exit_codes_of_the_readme_are_those_of_the_code():
    from eventing.cli.exits import Exit

    told = re.findall(r"^\| (\d+) \|", (ROOT / "README.md").read_text(), re.MULTILINE)

    assert sorted(map(int, told)) == sorted(Exit)


def test_invariants_name_tests_that_exist():
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "ARCHITECTURE.md").read_text()))
    defined = {name for file in (ROOT / "tests").rglob("test_*.py")
               for name in re.findall(r"def (test_\w+)", file.read_text())}

    assert named
    assert named <= defined


def test_decisions_are_numbered_and_say_everything():
    records = sorted((ROOT / "docs" / "adr").glob("*.md"))

    assert [int(r.name[:4]) for r in records] == list(range(1, len(records) + 1))
    for record in records:
        heads = re.findall(r"^## (\w+)", record.read_text(), re.MULTILINE)
        assert heads == ["Context", "Decision", "Consequences"], record.name
        assert "\nStatus: " in record.read_text()


def test_numbers_of_decisions_in_code_exist():
    records = {r.name[:4] for r in (ROOT / "docs" / "adr").glob("*.md")}
    named = {number for package in ("functions", "eventing", "shared")
             for file in (ROOT / package).rglob("*.py")
             for number in re.findall(r"ADR (\d{4})", file.read_text())}

    assert named <= records
