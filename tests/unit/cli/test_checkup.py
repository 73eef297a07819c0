"""What is wrong with a machine is found, with what to do about it."""

import json
import os

import httpx2
import pytest

from eventing.cli import checkup
from eventing.cli.checkup import examine
from eventing.cli.exits import Exit, Failure
from eventing.cli.place import Place
from shared.errors import Permanent, Transient


def refuse(*_):
    raise Permanent("service.yaml:3: spec.tempalte: unknown field")


def gone(*_, **__):
    raise httpx2.ConnectError("refused")


def no_binary():
    raise Transient("no redis-server in the package")


@pytest.fixture
def findings(tmp_path, monkeypatch):
    for name in ("REDIS_URL", "TOLLGATE_MODEL", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return lambda: {finding.name: finding for finding in examine(Place(tmp_path))}


def test_healthy_machine_has_nothing_to_do(findings):
    assert [f.name for f in findings().values() if not f.fine] == []


@pytest.mark.parametrize(("name", "attribute", "fault", "told"), [
    ("manifests", "load", refuse, "service.yaml:3"),
    ("redis", "binary", no_binary, "no redis-server")])
def test_missing_part_is_found(findings, monkeypatch, name, attribute, fault, told):
    monkeypatch.setattr(checkup, attribute, fault)

    found = findings()

    assert [f.name for f in found.values() if not f.fine] == [name]
    assert told in found[name].found
    assert found[name].do


@pytest.mark.parametrize("model", ["nobody/model", "openai/gpt-4o-mini"])
def test_provider_that_cannot_be_used_is_found(findings, monkeypatch, model):
    monkeypatch.setenv("TOLLGATE_MODEL", model)
    monkeypatch.setattr(checkup.httpx2, "get", gone)

    found = findings()["model"]

    assert not found.fine
    assert found.do


def test_redis_of_the_environment_is_named(findings, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere:6379")

    assert "redis://elsewhere:6379" in findings()["redis"].found


def test_state_of_a_dead_runtime_is_none(tmp_path):
    (tmp_path / "runtime.json").write_text(json.dumps({"pid": 2**22 + 1, "addresses": {}}))

    assert Place(tmp_path).state() is None
    with pytest.raises(Failure) as failed:
        Place(tmp_path).address("gateway")
    assert failed.value.code == Exit.UNREACHABLE


def test_address_and_key_of_a_living_runtime_are_read(tmp_path, monkeypatch):
    monkeypatch.delenv("TOLLGATE_API_KEY", raising=False)
    state = {"pid": os.getpid(), "addresses": {"gateway": "http://127.0.0.1:1"}}
    (tmp_path / "runtime.json").write_text(json.dumps(state))
    (tmp_path / "api-key").write_text("tg_local\n")

    assert Place(tmp_path).address("gateway") == "http://127.0.0.1:1"
    assert Place(tmp_path).key() == "tg_local"
