import importlib
import json

import pytest
import yaml

from functions.tools.catalogue import ROOT, TARGET, catalogue, manifest
from functions.tools.host import ToolSettings
from shared.contracts import Catalogue
from shared.errors import TollgateError

TOOLS = sorted(path.parent.name for path in (ROOT / "functions" / "tools").glob("*/tool.py"))


def test_the_catalogue_is_current():
    assert TARGET.read_text() == manifest(catalogue()), (
        "run: python -m functions.tools.catalogue")


def test_the_catalogue_is_read_back_as_it_was_written(tmp_path):
    path = tmp_path / "catalogue.json"
    path.write_text(yaml.safe_load(TARGET.read_text())["data"]["catalogue.json"])

    assert Catalogue.read(path) == catalogue()


def test_the_catalogue_has_every_tool():
    assert [tool.name for tool in catalogue().tools] == TOOLS
    assert catalogue().tool("calculator")
    assert catalogue().tool("nothing") is None


@pytest.mark.parametrize("text", ["", "[]", json.dumps({"tools": [{"name": "x"}]})])
def test_a_faulty_catalogue_is_named(tmp_path, text):
    path = tmp_path / "catalogue.json"
    path.write_text(text)

    with pytest.raises(TollgateError, match=r"catalogue\.json"):
        Catalogue.read(path)


@pytest.mark.parametrize("name", TOOLS)
def test_a_tools_manifest_sets_exactly_what_its_settings_read(name):
    service = yaml.safe_load((ROOT / "knative/base" / name / "service.yaml").read_text())
    container = service["spec"]["template"]["spec"]["containers"][0]

    assert {entry["name"] for entry in container["env"]} == settings_of(name).variables()


@pytest.mark.parametrize("name", TOOLS)
def test_a_tool_has_time_to_run_before_its_service_cuts_it(name):
    service = yaml.safe_load((ROOT / "knative/base" / name / "service.yaml").read_text())
    trigger = yaml.safe_load(
        (ROOT / "knative/base" / name / "trigger-tool-requested.yaml").read_text())
    timeout_s = service["spec"]["template"]["spec"]["timeoutSeconds"]
    tool = catalogue().tool(name)

    assert tool.timeout_s + 10 < timeout_s
    assert timeout_s <= int(trigger["spec"]["delivery"]["timeout"].strip("PTS"))
    assert trigger["spec"]["filters"][0]["exact"]["tool"] == name


def settings_of(name):
    try:
        module = importlib.import_module(f"functions.tools.{name}.settings")
    except ModuleNotFoundError:
        return ToolSettings
    (found,) = [v for v in vars(module).values()
                if isinstance(v, type) and issubclass(v, ToolSettings) and v is not ToolSettings]
    return found
