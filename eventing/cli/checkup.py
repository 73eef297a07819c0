"""Examines the machine and the running system for `tollgate doctor`."""

import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx2

from eventing.cli.exits import Failure
from eventing.cli.place import Place
from eventing.cli.remote import Remote
from eventing.local.embedded_redis import binary
from eventing.local.manifests.deployment import load
from eventing.local.options import ROOT
from shared.errors import TollgateError

OPENAI = ("OPENAI_BASE_URL", "https://api.openai.com/v1")
PROVIDERS = {"openai": OPENAI, "openai-responses": OPENAI,
             "anthropic": ("ANTHROPIC_BASE_URL", "https://api.anthropic.com")}
REACH_S = 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what it is, whether it is fine, what was found, what to do."""

    name: str
    fine: bool
    found: str
    do: str = ""


def examine(place: Place) -> list[Finding]:
    """Return every check's finding; changes nothing."""
    checks: tuple[Callable[[Place], Finding], ...] = (
        _python, _redis, _ports, _folder, _manifests, _provider, _system)
    return [check(place) for check in checks]


def _python(_: Place) -> Finding:
    return Finding("python", sys.version_info >= (3, 11), sys.version.split()[0],
                   "install Python 3.11 or later")


def _redis(_: Place) -> Finding:
    if url := os.environ.get("REDIS_URL"):
        return Finding("redis", True, f"{url} (REDIS_URL)")
    try:
        return Finding("redis", True, binary())
    except TollgateError as error:
        return Finding("redis", False, error.detail, "run make setup, or set REDIS_URL")


def _ports(_: Place) -> Finding:
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            return Finding("ports", True, f"free ones on 127.0.0.1, such as "
                                          f"{server.getsockname()[1]}")
    except OSError as error:
        return Finding("ports", False, str(error), "let this user listen on 127.0.0.1")


def _folder(place: Place) -> Finding:
    parent = place.data if place.data.exists() else place.data.absolute().parent
    return Finding("data folder", os.access(parent, os.W_OK), str(place.data),
                   f"make {parent} writable, or give another --data")


def _manifests(_: Place) -> Finding:
    folder: Path = ROOT / "knative" / "base"
    try:
        found = load(folder)
    except TollgateError as error:
        return Finding("manifests", False, error.detail, f"correct {folder}")
    return Finding("manifests", True, f"{len(found.services)} functions, "
                                      f"{len(found.triggers)} triggers in {folder}")


def _provider(_: Place) -> Finding:
    model = os.environ.get("TOLLGATE_MODEL") or "scripted/default"
    provider = model.partition("/")[0]
    if provider == "scripted":
        return Finding("model", True, f"{model}: offline")
    if provider not in PROVIDERS:
        return Finding("model", False, model, f"one of {', '.join(PROVIDERS)}, scripted")
    variable, usual = PROVIDERS[provider]
    url = os.environ.get(variable) or usual
    try:
        httpx2.get(url, timeout=REACH_S)
    except httpx2.HTTPError as error:
        return Finding("model", False, f"{url}: {error}", f"check the network and {variable}")
    return Finding("model", True, f"{model} at {url} answers")


def _system(place: Place) -> Finding:
    if entrance := os.environ.get("TOLLGATE_CLUSTER"):
        return _cluster(place, entrance)
    state = place.state()
    if state is None:
        return Finding("system", True, f"none runs in {place.data}")
    try:
        with Remote(place) as remote:
            functions = remote.ask("GET", "dashboard", "/status")["functions"]
            remote.ask("GET", "gateway", "/agents")
    except Failure as failure:
        return Finding("system", False, f"{failure.what} at {failure.where}",
                       f"see the logs in {place.data / 'logs'}")
    return Finding("system", True, f"process {state['pid']}, {len(functions)} functions")


def _cluster(place: Place, entrance: str) -> Finding:
    try:
        with Remote(place) as remote:
            remote.ask("GET", "gateway", "/agents")
    except Failure as failure:
        return Finding("system", False, f"{failure.what} at {failure.where}",
                       f"does something forward to the cluster at {entrance}?")
    return Finding("system", True, f"the cluster at {entrance} answers")
