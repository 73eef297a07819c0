"""Each check of readiness holds for production, and fails when what it is about is broken."""

import copy
import dataclasses
import json
import shutil

import pytest

from eventing.images.closure import ROOT
from eventing.policies.check import RULES
from eventing.policies.objects import Objects, containers_of, name_of
from eventing.readiness import guarding, running
from eventing.readiness.finding import Area, Check, Finding, Verdict
from eventing.readiness.judging import BY_FILES, judged
from eventing.readiness.subject import MIN_SCALE, Subject
from shared.errors import NotFound


@pytest.fixture(scope="module")
def prod():
    return Subject.of("prod")


def named(objects, kind, name=None):
    return next(o for o in objects if o["kind"] == kind and name in (None, name_of(o)))


def service(objects, name):
    return named(objects, "Service", name)["spec"]["template"]


def setting(objects, name, value):
    named(objects, "ConfigMap", "tollgate")["data"][name] = value


def without(kind):
    def broken(objects):
        objects[:] = [o for o in objects if o["kind"] != kind]
    return broken


def scaled(name, value):
    def broken(objects):
        service(objects, name)["metadata"]["annotations"][MIN_SCALE] = value
    return broken


def one_copy(objects):
    named(objects, "ConfigMap", "kafka-broker-config")["data"][
        "default.topic.replication.factor"] = "1"


def no_target(objects):
    template = service(objects, "reader")
    template["spec"].pop("containerConcurrency", None)
    notes = template["metadata"]["annotations"]
    for key in [key for key in notes if key.endswith("/target")]:
        del notes[key]


def plain_redis(objects):
    for found in (o for o in objects if o["kind"] == "Service"):
        for _, container in containers_of(found):
            for variable in container["env"]:
                if variable["name"] == "REDIS_URL":
                    variable.clear()
                    variable.update(name="REDIS_URL", value="redis://redis:6379/0")


BROKEN = {
    "traces": lambda o: setting(o, "OTEL_TRACES_EXPORTER", "none"),
    "metrics": without("PodMonitor"),
    "logs": lambda o: setting(o, "LOG_LEVEL", "ERROR"),
    "alerts": without("PrometheusRule"),
    "severities": lambda o: named(o, "PrometheusRule", "money")["spec"]["groups"][0]["rules"][0][
        "labels"].pop("severity"),
    "own-image": lambda o: service(o, "reader")["spec"]["containers"][0].update(
        image="registry.example/all:1"),
    "gradual": lambda o: o.remove(named(o, "Service", "rollouts")),
    "always-asked-twice": scaled("ledger", "1"),
    "bounds": lambda o: service(o, "costs")["spec"]["containers"][0]["resources"].pop("limits"),
    "concurrency": no_target,
    "to-zero": scaled("reader", "1"),
    "delivery": lambda o: named(o, "Trigger")["spec"]["delivery"].pop("retry"),
    "events-copied": one_copy,
    "state-survives": plain_redis,
    "node-drain": without("PodDisruptionBudget"),
    "graceful-end": lambda o: service(o, "notify")["spec"].pop("timeoutSeconds"),
    "confinement": lambda o: service(o, "notify")["spec"]["containers"][0]["securityContext"].pop(
        "readOnlyRootFilesystem"),
    "network": without("NetworkPolicy"),
    "senders": without("EventPolicy"),
    "spending-watched": without("PrometheusRule"),
    "ledger-awake": scaled("ledger", "0"),
}
"""Check → what breaks it in the rendered objects."""


def answer(subject, name):
    return next(f for f in judged(subject) if f.name == name)


@pytest.mark.parametrize("name", BROKEN)
def test_check_fails_when_its_subject_is_broken(prod, name):
    assert answer(prod, name).holds, answer(prod, name).verdict
    documents = copy.deepcopy(list(prod.objects.documents))
    BROKEN[name](documents)

    found = answer(dataclasses.replace(prod, objects=Objects(tuple(documents))), name)

    assert not found.holds
    assert found.verdict.todo
    assert found.document()["what_to_do"] == found.verdict.todo


@pytest.fixture
def copied(prod, tmp_path):
    """Return the environment with files of its own."""
    shutil.copytree(ROOT / "terraform", tmp_path / "terraform",
                    ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    return dataclasses.replace(prod, root=tmp_path,
                               terraform=tmp_path / "terraform" / "environments" / "prod")


def edited(file, old, new):
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


FILES = {
    "runbooks": lambda s: (s.root / "docs" / "runbooks" / "LedgerDown.md").unlink(),
    "secrets": lambda s: edited(s.root / "terraform" / "modules" / "secrets" / "main.tf",
                                "_wo", ""),
    "state-locked": lambda s: edited(s.terraform / "apps" / "backend.tf",
                                     "use_lockfile = true", "use_lockfile = false"),
    "budgets": lambda s: [f.unlink() for f in (s.terraform / "apps").glob("budgets*.yaml")],
    "own-state": lambda s: [shutil.rmtree(s.terraform / name)
                            for name in ("platform", "messaging")],
}
"""Check → what breaks it in the files."""


@pytest.mark.parametrize("name", FILES)
def test_check_fails_when_its_file_is_broken(copied, name):
    assert answer(copied, name).holds, answer(copied, name).verdict
    FILES[name](copied)

    assert not answer(copied, name).holds


def test_own_workflow_fails_when_one_is_stale(prod, monkeypatch, tmp_path):
    from eventing.readiness import watching

    stale = tmp_path / "function-reader.yml"
    stale.write_text("old")
    monkeypatch.setattr(watching, "workflows", lambda: [(stale, "new")])

    assert not answer(prod, "own-workflow").holds


def test_every_check_is_broken_by_a_test():
    assert {c.name for c in BY_FILES} == {*BROKEN, *FILES, "own-workflow"}


def test_every_area_has_checks():
    assert {c.area for c in BY_FILES} == set(Area)


def test_production_is_ready(prod):
    assert [f.name for f in judged(prod) if not f.holds] == []


def test_what_has_no_evidence_does_not_hold():
    assert not Finding("x", Area.SECURITY, Verdict(True, "", "look")).holds
    assert Finding("x", Area.SECURITY, Verdict(True, "a file", "look")).holds


def test_silent_cluster_is_no_evidence(prod, tmp_path):
    nowhere = tmp_path / "kubeconfig"
    nowhere.write_text(json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "x",
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        "clusters": [{"name": "x", "cluster": {"server": "https://127.0.0.1:9"}}],
        "users": [{"name": "x", "user": {}}]}))
    found = [f for f in judged(prod, {"KUBECONFIG": str(nowhere), "PATH": "/usr/bin:/bin"})
             if f.name.startswith("live-")]

    assert len(found) == 6
    assert not any(f.holds for f in found)
    assert all("does not answer" in f.verdict.todo for f in found)


def test_tenant_without_a_budget_is_named(copied):
    (copied.terraform / "apps" / "budgets.yaml").write_text("tenants: {a: {budgets: []}}")

    assert "tenant a has no budget" in answer(copied, "budgets").verdict.evidence


def test_unknown_environment_is_told_the_known_ones():
    with pytest.raises(NotFound, match="dev, local, prod, staging"):
        Subject.of("moon")


def test_rules_that_checks_name_exist():
    known = {rule.__name__.replace("_", "-") for rule in RULES}

    assert guarding.CONFINED | guarding.NETWORK | set(running.DELIVERY) <= known
    assert isinstance(running.CHECKS[0], Check)
