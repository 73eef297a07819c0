"""Writes the manifests of the tests' system: the real ones, and the functions under test."""

import importlib
import json
import shutil

import yaml

from eventing.local.options import ROOT
from functions.tools.catalogue import manifest
from functions.tools.declare import Tool
from shared.contracts import AgentEntry, Catalogue

BASE = ROOT / "knative" / "base"
TOOLS = {"crasher": 10, "dying": 1, "flood": 10, "hanger": 10, "once": 10, "raiser": 10,
         "sleeper": 10}
"""Tools under test → retries of their Triggers."""

AGENTS = {"prober": 10, "broken": 2, "deaf": 2}


def write(folder):
    """Write everything below a folder; return it."""
    shutil.copytree(BASE, folder)
    for name, retry in TOOLS.items():
        _copied(folder, "calculator", "tools", name, retry)
    for name, retry in AGENTS.items():
        _copied(folder, "researcher", "agents", name, retry)
    (folder / "catalogue" / "configmap.yaml").write_text(manifest(_catalogue()))
    return folder


def _copied(folder, like, family, name, retry):
    target = folder / name
    target.mkdir()
    for file in (BASE / like).glob("*.yaml"):
        text = file.read_text()
        text = text.replace(f"functions/{family}/{like}/", f"tests/chaos/functions/{like}/")
        text = text.replace("retry: 10", f"retry: {retry}")
        (target / file.name).write_text(text.replace(like, name))


def _catalogue():
    document = yaml.safe_load((BASE / "catalogue" / "configmap.yaml").read_text())
    found = Catalogue.model_validate(json.loads(document["data"]["catalogue.json"]))
    agents = tuple(AgentEntry(name=name, description="Under test.") for name in AGENTS)
    return Catalogue(tools=(*found.tools, *(contract(name) for name in TOOLS)),
                     agents=(*found.agents, *agents))


def contract(name):
    """Return the contract of a tool under test."""
    module = importlib.import_module(f"tests.chaos.functions.{name}.tool")
    (tool,) = [value for value in vars(module).values() if isinstance(value, Tool)]
    return tool.contract
