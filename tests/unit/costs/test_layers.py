"""Packages of costs depend on each other in one direction."""

import ast
from pathlib import Path

import pytest

COSTS = Path(__file__).parents[3] / "functions" / "costs"
LAYERS = ("pages", "routes", "trust", "export", "store", "archive", "sums", "events", "questions")
"""Each may import those after it; `keys`, `settings` and `turns` import none of them."""
BELOW_ALL = {"keys", "settings", "turns"}
ABOVE_ALL = {"host", "main"}
OWN = "functions.costs."


def part_of(file):
    return file.relative_to(COSTS).with_suffix("").parts[0]


def imported(file):
    """Return the parts of costs that a file imports, what is imported for its types included."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and f"{node.module}." == OWN:
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(OWN):
            found.add(node.module.removeprefix(OWN).partition(".")[0])
    return found


@pytest.mark.parametrize("file", sorted(COSTS.rglob("*.py")),
                         ids=lambda file: file.relative_to(COSTS).as_posix())
def test_packages_of_costs_import_downwards(file):
    part = part_of(file)
    if part in ABOVE_ALL:
        return
    lower = set(LAYERS[LAYERS.index(part):]) if part in LAYERS else set()

    assert imported(file) <= lower | BELOW_ALL


def test_every_part_of_costs_has_its_layer():
    parts = {part_of(file) for file in COSTS.rglob("*.py")} - {"__init__"}

    assert parts == {*LAYERS} | BELOW_ALL | ABOVE_ALL
