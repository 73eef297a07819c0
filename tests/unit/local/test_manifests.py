"""Manifests are refused by file, line and field."""

import copy

import pytest
import yaml

from eventing.local.manifests.deployment import load
from eventing.local.manifests.reading import Refused

SERVICE = {
    "apiVersion": "serving.knative.dev/v1", "kind": "Service",
    "metadata": {"name": "echo", "namespace": "n", "annotations": {"tollgate.dev/source": "x.py"}},
    "spec": {"template": {
        "metadata": {"annotations": {"autoscaling.knative.dev/max-scale": "3"}},
        "spec": {"containers": [{
            "image": "x", "resources": {"limits": {"cpu": "1"}},
            "securityContext": {"runAsNonRoot": True},
            "env": [{"name": "A", "value": "1"}]}]}}}}
BROKER = {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "metadata": {
    "name": "default", "namespace": "n",
    "annotations": {"eventing.knative.dev/broker.class": "Kafka"}}}
TRIGGER = {"apiVersion": "eventing.knative.dev/v1", "kind": "Trigger",
           "metadata": {"name": "t", "namespace": "n"},
           "spec": {"broker": "default", "subscriber": {"ref": {
               "apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": "echo"}}}}
PING = {"apiVersion": "sources.knative.dev/v1", "kind": "PingSource",
        "metadata": {"name": "p", "namespace": "n"},
        "spec": {"schedule": "* * * * *", "sink": TRIGGER["spec"]["subscriber"]}}


def changed(document, path, value):
    made = copy.deepcopy(document)
    part = made
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    return made


@pytest.fixture
def faults(tmp_path):
    def of(*documents):
        (tmp_path / "all.yaml").write_text(yaml.safe_dump_all(documents, sort_keys=False))
        with pytest.raises(Refused) as caught:
            load(tmp_path)
        return caught.value.faults
    return of


def test_valid_manifests_are_read(tmp_path):
    (tmp_path / "a.yaml").write_text(yaml.safe_dump_all([SERVICE, BROKER, TRIGGER, PING]))
    (tmp_path / "kustomization.yaml").write_text("kind: Kustomization\n")

    deployment = load(tmp_path)

    assert set(deployment.services) == {("n", "echo")}
    assert set(deployment.triggers) == {("n", "t")}
    assert set(deployment.timers) == {("n", "p")}


def test_fields_that_matter_on_a_cluster_only_are_listed(tmp_path):
    at_first = {"autoscaling.knative.dev/initial-scale": "0"}
    service = changed(SERVICE, ("spec", "template", "metadata", "annotations"), at_first)
    (tmp_path / "a.yaml").write_text(yaml.safe_dump_all([service]))

    listed = {line.partition(": ")[2] for line in load(tmp_path).no_effect}

    assert {"spec.template.spec.containers.0.resources", "spec.template.spec.containers.0.image",
            "spec.template.spec.containers.0.securityContext",
            "spec.template.metadata.annotations.autoscaling.knative.dev/initial-scale"} <= listed


def test_what_needs_a_cluster_is_left_out_and_named(tmp_path):
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "rules": [],
            "metadata": {"name": "r", "annotations": {"tollgate.dev/needs": "kubernetes"}}}
    (tmp_path / "a.yaml").write_text(yaml.safe_dump_all([SERVICE, role]))

    deployment = load(tmp_path)

    assert set(deployment.services) == {("n", "echo")}
    assert deployment.left_out == ("Role r: it needs a cluster",)


def test_what_needs_anything_else_is_refused(tmp_path):
    job = {"apiVersion": "batch/v1", "kind": "Job", "spec": {},
           "metadata": {"name": "r", "annotations": {"tollgate.dev/needs": "luck"}}}
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(job))

    with pytest.raises(Refused, match="Job is not implemented"):
        load(tmp_path)


def test_fault_names_file_line_and_field(tmp_path):
    (tmp_path / "bad.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n  nmespace: y\n")

    with pytest.raises(Refused) as caught:
        load(tmp_path)

    assert caught.value.faults == [
        f"{tmp_path}/bad.yaml:5: metadata.nmespace: field is unknown or not implemented by the "
        "embedded runtime"]


def test_every_fault_of_every_file_is_reported_at_once(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.yaml").write_text(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, a: 1, b: 2}\n")

    with pytest.raises(Refused) as caught:
        load(tmp_path)

    assert len(caught.value.faults) == 4


CONTAINER = ("spec", "template", "spec", "containers", 0)


@pytest.mark.parametrize(("document", "path", "value", "said"), [
    (SERVICE, ("spec", "template", "spec", "containerConcurency"), 1, "containerConcurency"),
    (SERVICE, ("spec", "template", "spec", "containerConcurrency"), 1001, "less than or equal"),
    (SERVICE, ("spec", "template", "spec", "containerConcurrency"), "4", "valid integer"),
    (SERVICE, ("spec", "template", "spec", "timeoutSeconds"), 601, "less than or equal to 600"),
    (SERVICE, ("spec", "template", "spec", "nodeSelector"), {}, "nodeSelector"),
    (SERVICE, ("spec", "template", "metadata", "annotations"),
     {"autoscaling.knative.dev/maxscale": "1"}, "maxscale"),
    (SERVICE, ("spec", "template", "metadata", "annotations"),
     {"autoscaling.knative.dev/max-scale": "many"}, "not a whole number"),
    (SERVICE, ("spec", "template", "metadata", "annotations"),
     {"autoscaling.knative.dev/window": "1 minute"}, "not a duration"),
    (SERVICE, ("spec", "template", "metadata", "annotations"),
     {"autoscaling.knative.dev/scale-down-delay": "1m"}, "not implemented"),
    (SERVICE, (*CONTAINER, "command"), ["x"], "command"),
    (SERVICE, (*CONTAINER, "env"), [{"name": "PORT", "value": "1"}], "set by the platform"),
    (SERVICE, (*CONTAINER, "env"), [{"name": "A", "value": "$(B)"}], "not implemented"),
    (SERVICE, (*CONTAINER, "env"), [{"name": "A", "value": 1}], "valid string"),
    (SERVICE, (*CONTAINER, "env"), [{"name": "A", "valueFrom": {"fieldRef": {}}}], "fieldRef"),
    (SERVICE, (*CONTAINER, "env"), [{"name": "A", "valueFrom": {
        "configMapKeyRef": {"name": "none", "key": "A"}}}], "ConfigMap none has no key A"),
    (SERVICE, (*CONTAINER, "ports"), [{"name": "h2c"}], "http1"),
    (SERVICE, (*CONTAINER, "volumeMounts"), [{"name": "v", "mountPath": "/v"}], "name no volume"),
    (SERVICE, ("metadata", "annotations"), {}, "tollgate.dev/source is missing"),
    (SERVICE, ("spec", "traffic"), [{"revisionName": "a", "percent": 100}], "revisionName"),
    (SERVICE, ("kind",), "Deployment", "is not implemented"),
    (BROKER, ("metadata", "annotations"), {}, "must be Kafka"),
    (BROKER, ("spec",), {"config": {"apiVersion": "v1", "kind": "ConfigMap", "name": "c"}},
     "no ConfigMap c"),
    (TRIGGER, ("spec", "broker"), "other", "no Broker other"),
    (TRIGGER, ("spec", "subscriber"), {"ref": {
        "apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": "lost"}},
     "no Service lost"),
    (TRIGGER, ("spec", "subscriber"), {}, "needs ref or uri"),
    (TRIGGER, ("spec", "subscriber"), {"uri": "/path"}, "a path needs a ref"),
    (TRIGGER, ("spec", "subscriber"), {**TRIGGER["spec"]["subscriber"], "uri": "http://x/"},
     "an absolute uri stands alone"),
    (TRIGGER, ("metadata", "annotations"),
     {"kafka.eventing.knative.dev/delivery.order": "ordered"}, "only unordered"),
    (TRIGGER, ("spec", "filters"), [{"cesql": "type = 'a'"}], "cesql"),
    (PING, ("spec", "schedule"), "* * * * * *", "cron has 5"),
    (PING, ("spec", "timezone"), "Europe/Berlin", "timezone"),
])
def test_wrong_field_is_refused_by_name(faults, document, path, value, said):
    others = [d for d in (SERVICE, BROKER, TRIGGER, PING) if d is not document]

    found = faults(*others, changed(document, path, value))

    assert any(said in fault for fault in found), found
    assert all("all.yaml:" in fault for fault in found)


def test_key_written_twice_is_refused(tmp_path):
    (tmp_path / "a.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  a: '1'\n  a: '2'\n")

    with pytest.raises(Refused, match=r"a.yaml:5: data.a: is written twice"):
        load(tmp_path)


def test_object_defined_twice_is_refused(faults):
    assert "is already in" in faults(SERVICE, SERVICE)[0]


def test_broken_yaml_is_refused_with_its_line(tmp_path):
    (tmp_path / "a.yaml").write_text("a: 1\nb: [\n")

    with pytest.raises(Refused, match=r"a.yaml:3: document: no YAML"):
        load(tmp_path)


def test_empty_folder_is_refused(tmp_path):
    with pytest.raises(Refused, match="holds no manifests"):
        load(tmp_path)
