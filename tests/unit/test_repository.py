"""The repository's own rules: layers, sizes, homes of libraries, manifests, words."""

import ast
import importlib
import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PACKAGES = ("functions", "eventing", "shared")
SOURCES = sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
BASE = ROOT / "knative" / "base"
MAINS = sorted((ROOT / "functions").rglob("main.py"))
FAMILIES = {"functions.agents", "functions.tools"}

LINE_MAX, FUNCTION_MAX, MODULE_MAX, MAIN_MAX = 100, 40, 300, 25
POSITIONAL_MAX, NESTING_MAX = 4, 3

HOMES = {
    "aiohttp": ("eventing/local/",),
    "cloudevents": ("eventing/http.py",),
    "functions_framework": ("eventing/adapter.py", "eventing/local/serve.py"),
    "genai_prices": ("functions/ledger/",),
    "httpx": (),  # httpx2 is its successor
    "jinja2": ("shared/models/", "functions/costs/pages/view.py"),
    "jsonschema": ("eventing/policies/schemas.py", "shared/contracts.py",
                   "functions/agents/loop.py"),
    "jwt": ("shared/auth.py",),
    "opentelemetry": ("shared/telemetry.py",),
    "prometheus_client": ("eventing/adapter.py", "functions/costs/routes/metrics.py",
                          "functions/agents/metrics.py", "functions/ledger/metrics.py"),
    "redis": ("shared/store.py", "shared/redis_wire.py"),
    "rich": ("eventing/cli/",),
    "tenacity": ("shared/retries.py", "functions/tools/notify/"),
    "typer": ("eventing/cli/",),
    "uvicorn": ("eventing/local/serve.py", "eventing/local/gathering.py"),
    "youplot": ("functions/costs/pages/assets.py",),
}
"""Libraries, and the only files or folders that may import them."""

FORBIDDEN = re.compile("|".join((
    "/wor" "k/", "/roo" "t/", "/opt/whe" "els", r"\bissue" r" \d", "TO" "DO", "FIX" "ME",
    "files.pythonho" "sted", "Co-Auth" "ored", r"py" r"pi\.org")))
"""Machine paths, addresses of registries, notes to oneself."""

UNNAMED = {"utils", "helpers", "common", "manager", "core", "misc", "util", "helper"}


def relative(file):
    return file.relative_to(ROOT).as_posix()


def tree(file):
    return ast.parse(file.read_text())


def each(files):
    return pytest.mark.parametrize("file", files, ids=relative)


def functions_of(file):
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(tree(file)) if isinstance(node, kinds)]


def imports(file):
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or ""), node


def tracked():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    return [ROOT / name for name in listed.stdout.decode().split("\0")
            if name and (ROOT / name).is_file()]


# ---- layers ---------------------------------------------------------------------------------

@each(SOURCES)
def test_imports_point_downwards(file):
    package = file.relative_to(ROOT).parts[0]
    above = PACKAGES[:PACKAGES.index(package)]

    wrong = [name for name, _ in imports(file) if name.split(".")[0] in (*above, "tests")]

    assert not wrong, f"{package} may not import {wrong}"


@each(sorted((ROOT / "functions").rglob("*.py")))
def test_functions_do_not_import_each_other(file):
    parts = file.relative_to(ROOT).with_suffix("").parts
    family = ".".join(parts[:2])
    own = ".".join(parts[:3]) if family in FAMILIES and len(parts) > 3 else family
    shared_by_family = {f"{family}.{m.stem}" for m in (ROOT / "functions" / parts[1]).glob("*.py")}

    wrong = [name for name, _ in imports(file) if name.startswith("functions.")
             and not (name + ".").startswith(own + ".") and name not in shared_by_family
             and name != "functions.tools.declare"]

    assert not wrong, f"{relative(file)} imports another function: {wrong}"


@each(SOURCES + TESTS)
def test_imports_are_absolute(file):
    assert not [name for name, _ in imports(file) if name.startswith(".")]


@each(SOURCES)
def test_each_library_has_one_home(file):
    for name, _ in imports(file):
        homes = HOMES.get(name.split(".")[0])
        assert homes is None or relative(file).startswith(homes), \
            f"{name} is imported in {homes} only"


@each(SOURCES)
def test_names_say_something(file):
    assert not UNNAMED & {*file.relative_to(ROOT).with_suffix("").parts}


# ---- sizes ----------------------------------------------------------------------------------

@each(SOURCES + TESTS)
def test_lines_fit(file):
    long = [n for n, line in enumerate(file.read_text().splitlines(), 1) if len(line) > LINE_MAX]

    assert not long, f"longer than {LINE_MAX}: lines {long}"


@each(SOURCES)
def test_module_fits(file):
    length = len(file.read_text().splitlines())

    assert length <= (MAIN_MAX if file.name == "main.py" and file in MAINS else MODULE_MAX)


@each(SOURCES)
def test_functions_fit(file):
    for function in functions_of(file):
        length = function.end_lineno - function.lineno + 1
        assert length <= FUNCTION_MAX, f"{function.name} has {length} lines"


def test_functions_are_short_in_the_median():
    lengths = sorted(f.end_lineno - f.lineno + 1 for file in SOURCES for f in functions_of(file))

    assert lengths[len(lengths) // 2] <= 8
    assert lengths[len(lengths) * 9 // 10] < 31


@each(SOURCES)
def test_functions_take_few_positional_parameters(file):
    for function in functions_of(file):
        given = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
        assert len([a for a in given if a not in ("self", "cls")]) <= POSITIONAL_MAX, function.name


@each(SOURCES)
def test_nesting_is_shallow(file):
    for function in functions_of(file):
        assert depth(function.body) <= NESTING_MAX, function.name


def depth(body):
    return max((depth_of(statement) for statement in body), default=0)


def depth_of(node):
    if isinstance(node, ast.Match):
        return 1 + max(depth(case.body) for case in node.cases)
    if isinstance(node, ast.Try):
        handled = [s for handler in node.handlers for s in handler.body]
        return 1 + depth([*node.body, *handled, *node.orelse, *node.finalbody])
    if isinstance(node, ast.If) and len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
        return max(1 + depth(node.body), depth_of(node.orelse[0]))  # elif
    if isinstance(node, ast.If | ast.For | ast.AsyncFor | ast.While):
        return 1 + depth([*node.body, *node.orelse])
    return 1 + depth(node.body) if isinstance(node, ast.With | ast.AsyncWith) else 0


@pytest.mark.parametrize(("name", "lines"), [("ARCHITECTURE.md", 200), ("Makefile", 100)])
def test_texts_fit(name, lines):
    assert len((ROOT / name).read_text().splitlines()) <= lines


def test_broad_excepts_are_at_the_edge_only():
    broad = [relative(file) for file in SOURCES for node in ast.walk(tree(file))
             if isinstance(node, ast.ExceptHandler) and isinstance(node.type, ast.Name)
             and node.type.id in ("Exception", "BaseException") and not reraises(node)]

    assert broad == ["eventing/adapter.py"]


def reraises(handler):
    return any(isinstance(n, ast.Raise) and n.exc is None for n in ast.walk(handler))


# ---- manifests ------------------------------------------------------------------------------

def function_of(main):
    return main.parent.name


def service_of(main):
    return yaml.safe_load((BASE / function_of(main) / "service.yaml").read_text())


@each(MAINS)
def test_every_function_has_its_manifests(file):
    service = service_of(file)

    assert service["kind"] == "Service"
    assert service["metadata"]["name"] == function_of(file)
    assert service["metadata"]["annotations"]["tollgate.dev/source"] == relative(file)


def test_every_service_has_its_function():
    names = {file.parent.name for file in BASE.glob("*/service.yaml")}

    assert names == {function_of(main) for main in MAINS}


@each(sorted(BASE.rglob("kustomization.yaml")))
def test_kustomizations_list_everything(file):
    listed = set(yaml.safe_load(file.read_text())["resources"])
    beside = {f.name for f in file.parent.glob("*.yaml") if f.name != "kustomization.yaml"}
    below = {f.parent.name for f in file.parent.glob("*/kustomization.yaml")}

    assert listed == beside | below


@each(MAINS)
def test_manifest_sets_exactly_the_settings(file):
    env = service_of(file)["spec"]["template"]["spec"]["containers"][0].get("env", [])

    assert {variable["name"] for variable in env} == settings_of(file).variables()


def settings_of(main):
    for name, node in imports(main):
        found = [a.name for a in getattr(node, "names", []) if a.name.endswith("Settings")]
        if found:
            return getattr(importlib.import_module(name), found[0])
    raise AssertionError(f"{relative(main)} imports no Settings")


@each(MAINS)
def test_service_is_confined_and_bounded(file):
    spec = service_of(file)["spec"]["template"]["spec"]
    container = spec["containers"][0]

    assert container["securityContext"] == {
        "runAsNonRoot": True, "readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}}
    assert {"requests", "limits"} <= set(container["resources"])
    assert container["readinessProbe"]["httpGet"]["path"].startswith("/")
    assert {"containerConcurrency", "timeoutSeconds"} <= set(spec)


@each(sorted(BASE.glob("*/trigger-*.yaml")))
def test_trigger_says_how_it_is_delivered(file):
    trigger = yaml.safe_load(file.read_text())
    delivery = trigger["spec"]["delivery"]

    assert trigger["metadata"]["name"].startswith(file.parent.name)
    assert {"retry", "backoffPolicy", "backoffDelay", "timeout"} <= set(delivery)
    assert "deadLetterSink" in delivery or file.parent.name == "deadletters"


# ---- words ----------------------------------------------------------------------------------

def test_tracked_files_speak_of_the_project_alone():
    found = [f"{relative(file)}: {match.group()}" for file in tracked()
             if (match := FORBIDDEN.search(file.read_text(errors="replace")))]

    assert not found


@pytest.mark.parametrize("name", ["run", "dev"])
def test_locks_are_hashed_and_hold_no_address(name):
    lock = (ROOT / "requirements" / f"{name}.txt").read_text()

    pins = re.findall(r"^[\w.\[\]-]+==.*?(?=^\S|\Z)", lock, re.MULTILINE | re.DOTALL)
    assert len(pins) > 50
    assert all("--hash=sha256:" in pin for pin in pins)
    assert "://" not in lock


def test_locks_agree():
    pins = [dict(re.findall(r"^([\w.-]+)==(\S+)",
                            (ROOT / "requirements" / f"{name}.txt").read_text(), re.MULTILINE))
            for name in ("run", "dev")]

    assert pins[0].items() <= pins[1].items()


def test_every_dependency_is_locked():
    project = (ROOT / "pyproject.toml").read_text()
    named = re.findall(r'^ {4}"([A-Za-z][\w.-]*)(?:\[\w+\])?(?:[><=;]|",$)', project, re.MULTILINE)
    lock = (ROOT / "requirements" / "dev.txt").read_text()

    locked = set(re.findall(r"^([\w.-]+)==", lock, re.MULTILINE))

    assert {name.lower().replace("_", "-") for name in named} <= locked
