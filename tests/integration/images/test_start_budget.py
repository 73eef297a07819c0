"""What functions load while they start: counts, so that every machine measures the same."""

import json

import pytest

from eventing.images import __main__ as command
from eventing.images.budget import HEAVY, MODULES_RATIO_MAX, forbidden
from eventing.images.closure import ROOT, closure, functions
from eventing.images.imports import as_json, as_table, costs_of, excesses
from eventing.images.sources import PACKAGES, module_file


@pytest.fixture(scope="module")
def measured():
    return costs_of(rounds=1)


def test_every_function_starts_within_its_budget(measured):
    bare, costs = measured

    assert {cost.function for cost in costs} == {*functions()}
    assert not [*excesses(bare, costs)]


def test_every_module_loaded_is_in_the_closure(measured):
    for cost in measured[1]:
        files = {module_file(ROOT, name) for name in cost.modules
                 if name.split(".")[0] in PACKAGES} - {None}
        loaded = {file.relative_to(ROOT) for file in files} - PROBE

        assert loaded <= {*closure(cost.function).files}, cost.function


PROBE = {module_file(ROOT, name).relative_to(ROOT)
         for name in ("eventing.images", "eventing.images.probe")}


def test_bare_function_loads_nothing_of_the_project_but_its_server(measured):
    own = {name for name in measured[0].modules if name.split(".")[0] in PACKAGES}

    assert own == {"eventing", "eventing.local", "eventing.local.serve", "eventing.stopping",
                   "eventing.images"}


def test_heavy_module_is_named_with_its_function(measured):
    bare, _ = measured
    greedy = type(bare)("calculator", bare.modules | {"rich", "yaml"}, 1.0)

    assert [*excesses(bare, [greedy])] == [
        "calculator must not load rich, yaml while it starts"]


def test_too_many_modules_are_counted_against_a_bare_function(measured):
    bare, _ = measured
    many = frozenset(map(str, range(int(len(bare.modules) * MODULES_RATIO_MAX) + 1)))

    assert "times the modules of a bare function" in " ".join(
        excesses(bare, [type(bare)("any", many, 1.0)]))


def test_functions_that_may_load_something_heavy_exist():
    assert {name for may in HEAVY.values() for name in may} <= {*functions()}
    assert not [*forbidden("costs", ["prometheus_client"])]


def test_table_and_json_say_the_same(measured):
    bare, costs = measured

    rows = json.loads(as_json(bare, costs))

    assert rows.keys() == {"bare", *functions()}
    for name, row in rows.items():
        assert any(line.startswith(f"{name} ") and f" {row['modules']} " in line
                   for line in as_table(bare, costs).splitlines())


def test_unknown_function_is_said_in_one_line(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["images", "imports", "calculater"])

    assert command.main() == 1
    assert capsys.readouterr().err.startswith("no function is called 'calculater'; there are: ")
