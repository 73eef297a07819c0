"""Finds, by reading sources, at which fault points each function can die."""

import ast
from functools import cache

from eventing.local.options import ROOT
from shared.faults import FaultPoint

FAMILIES = {"agents": "researcher", "tools": "notify"}
"""Functions of a family share their host: one stands for all."""


def functions():
    """Return name → entry point of every function; a family by the one that stands for it."""
    found = {}
    for main in sorted((ROOT / "functions").rglob("main.py")):
        folder = main.parent
        family = folder.parent.name
        if family == "functions" or FAMILIES.get(family) == folder.name:
            found[folder.name if family == "functions" else family] = main
    return found


def reachable(main):
    """Return the fault points in the modules that an entry point imports, directly or not."""
    points, seen, waiting = set(), set(), [main]
    while waiting:
        file = waiting.pop()
        if file not in seen:
            seen.add(file)
            points |= _points(file)
            waiting += _imported(file)
    return points


@cache
def _points(file):
    calls = (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call))
    return frozenset(
        FaultPoint[argument.attr] for call in calls
        if getattr(call.func, "id", getattr(call.func, "attr", "")) == "reach"
        for argument in call.args if isinstance(argument, ast.Attribute))


@cache
def _imported(file):
    found = []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    paths = [ROOT.joinpath(*name.split(".")) for name in found]
    return [p for path in paths for p in (path.with_suffix(".py"), path / "__init__.py")
            if p.is_file()]
