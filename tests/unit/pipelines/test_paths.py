"""A function's pipeline starts when something changes that the function runs on, and only then."""

from fnmatch import fnmatchcase

import pytest

from eventing.images.closure import ROOT, closure, functions
from eventing.pipelines.workflows import FOLDER, watched, workflows

ALL = frozenset(functions())
TOOLS = {"calculator", "reader", "notify"}
FILES = sorted(file.relative_to(ROOT).as_posix() for folder in ("functions", "eventing", "shared")
               for file in (ROOT / folder).rglob("*.py"))


def matches(path, pattern):
    """Tell whether a path filter takes a path, as GitHub does."""
    if pattern.endswith("/**"):
        return path.startswith(pattern.removesuffix("**"))
    return fnmatchcase(path, pattern)


def delivered_for(changed):
    """Return the functions whose workflow starts when that file changes."""
    return frozenset(name for name in functions()
                     if any(matches(changed, pattern) for pattern in watched(name)))


@pytest.mark.parametrize(("file", "text"), list(workflows()), ids=lambda v: getattr(v, "name", ""))
def test_workflow_is_what_the_generator_writes(file, text):
    assert file.read_text() == text, "run: make pipelines"


def test_no_workflow_of_a_function_that_is_gone():
    assert set(FOLDER.glob("function-*.yml")) == {file for file, _ in workflows()}


def test_change_starts_exactly_those_who_import_it():
    imports = {name: {f.as_posix() for f in closure(name).files} for name in functions()}
    folders = {name: f"{main.parent.as_posix()}/" for name, main in functions().items()}

    wrong = [file for file in FILES if delivered_for(file) != {
        name for name in ALL if file in imports[name] or file.startswith(folders[name])}]

    assert not wrong


@pytest.mark.parametrize(("file", "started"), [
    ("functions/tools/calculator/main.py", {"calculator"}),
    ("functions/ledger/lua/reserve.lua", {"ledger"}),
    ("functions/agents/researcher/prompt.md", {"researcher"}),
    ("functions/agents/loop.py", {"researcher"}),
    ("functions/tools/host.py", TOOLS),
    ("knative/base/notify/service.yaml", {"notify"}),
    ("shared/limits.py", ALL), ("requirements/run.txt", ALL), ("functions/Dockerfile", ALL),
    ("eventing/cli/main.py", set()), ("docs/operations.md", set()), ("tests/system.py", set()),
    ("functions/ledgerbook.py", set()), ("knative/overlays/dev/kustomization.yaml", set()),
], ids=lambda v: v if isinstance(v, str) else "")
def test_known_changes_start_whom_they_must(file, started):
    assert delivered_for(file) == started


def test_filter_of_a_folder_takes_what_is_below_it_alone():
    assert matches("a/b/c/d.py", "a/b/**")
    assert not matches("a/bc/d.py", "a/b/**")
    assert not matches("a/b.py", "a/b/**")
