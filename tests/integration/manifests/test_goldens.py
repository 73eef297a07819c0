"""Overlays render to their goldens, run on a laptop, and carry names to where Knative has them."""

import subprocess

import pytest
import yaml

from eventing.local.manifests import kustomize
from eventing.local.manifests.deployment import load
from eventing.local.manifests.kustomize import NotRendered, is_plain, objects
from eventing.local.manifests.reading import Refused
from eventing.policies.__main__ import main
from tests.goldens import FOLDER, NAMES, OVERLAYS, ROOT, normalised

LAPTOP = [name for name in NAMES if name != "cluster-test"]


@pytest.mark.parametrize("name", NAMES)
def test_overlay_renders_to_its_golden(name):
    found = normalised(objects(OVERLAYS / name))

    assert found == (FOLDER / f"{name}.yaml").read_text(), "run `make goldens` and read the change"


def test_every_golden_has_its_overlay():
    assert sorted(file.stem for file in FOLDER.glob("*.yaml")) == NAMES


@pytest.mark.parametrize("name", LAPTOP)
def test_laptop_reads_what_the_cluster_gets(name):
    deployment = load(OVERLAYS / name)
    rendered = objects(OVERLAYS / name)

    read = {("Service", *key) for key in deployment.services}
    read |= {("Trigger", *key) for key in deployment.triggers}
    named = {tuple(line.partition(":")[0].split()) for line in deployment.left_out}
    for found in rendered:
        kind, about = found["kind"], found["metadata"]
        if kind in ("Namespace", "ConfigMap", "Broker", "PingSource"):
            continue
        assert (kind, about["namespace"], about["name"]) in read or (kind, about["name"]) in named


def test_memory_broker_is_refused_by_name():
    with pytest.raises(Refused, match=r"Broker default.*broker\.class must be Kafka"):
        load(OVERLAYS / "cluster-test")


def test_base_needs_no_kustomize(monkeypatch):
    monkeypatch.setattr(kustomize.shutil, "which", lambda _: None)

    assert is_plain(ROOT / "knative" / "base")
    assert load(ROOT / "knative" / "base").services


def test_missing_kustomize_is_said_with_what_to_install(monkeypatch):
    monkeypatch.setattr(kustomize.shutil, "which", lambda _: None)

    with pytest.raises(NotRendered, match=r"kubectl \(1.27 or later\) or kustomize"):
        load(OVERLAYS / "dev")


@pytest.fixture
def overlay(tmp_path):
    def made(**extra):
        kustomization = {"resources": ["manifests.yaml"], **extra}
        (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
        (tmp_path / "manifests.yaml").write_text(subprocess.run(
            ["kubectl", "kustomize", OVERLAYS / "dev"], capture_output=True, text=True,
            check=True).stdout)
        return tmp_path
    return made


def test_unknown_kind_in_an_overlay_is_refused_by_name(overlay):
    folder = overlay(resources=["manifests.yaml", "job.yaml"], namePrefix="")
    (folder / "job.yaml").write_text(
        "apiVersion: batch/v1\nkind: Job\nmetadata: {name: j, namespace: tollgate}\n")

    with pytest.raises(Refused) as caught:
        load(folder)

    assert caught.value.faults == [f"{folder}/Job j:2: kind: batch/v1 Job is not implemented"]


def test_refused_kustomization_is_said_as_kustomize_says_it(overlay):
    folder = overlay(patches=[{"path": "p.yaml"}])
    (folder / "p.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: absent}\ndata: {}\n")

    with pytest.raises(NotRendered, match="no matches for Id"):
        load(folder)


def test_prefixed_names_reach_what_refers_to_them(overlay):
    folder = overlay(namePrefix="x-", components=["kinds"])
    (folder / "kinds").symlink_to(OVERLAYS.parent / "components" / "knative-kinds")

    found = {(d["kind"], d["metadata"]["name"]): d for d in objects(folder)}
    trigger = found["Trigger", "x-costs-ledger"]["spec"]
    assert (trigger["broker"], trigger["subscriber"]["ref"]["name"]) == ("x-default", "x-costs")
    assert trigger["delivery"]["deadLetterSink"]["ref"]["name"] == "x-deadletters"
    assert found["Broker", "x-default"]["spec"]["config"]["name"] == "x-kafka-broker-config"
    assert found["PingSource", "x-ledger"]["spec"]["sink"]["ref"]["name"] == "x-ledger"
    pod = found["Service", "x-gateway"]["spec"]["template"]["spec"]
    assert {v["configMap"]["name"] for v in pod["volumes"] if "configMap" in v} >= {"x-catalogue"}
    assert {v["valueFrom"]["configMapKeyRef"]["name"] for v in pod["containers"][0]["env"]
            if "configMapKeyRef" in v["valueFrom"]} == {"x-tollgate"}


def test_changed_setting_makes_new_revisions_of_every_function(tmp_path):
    env = "- {op: replace, path: /data/TOLLGATE_MODEL, value: openai/other}\n"
    rolling = OVERLAYS.parent / "components" / "rolling-settings"
    changed = _built(tmp_path / "a", rolling, env)
    unchanged = _built(tmp_path / "b", rolling, "- {op: test, path: /kind, value: ConfigMap}\n")

    assert len(unchanged) >= 10
    assert all(changed[name] != unchanged[name] for name in unchanged)


def _built(folder, rolling, patch):
    base = folder / "base"
    base.mkdir(parents=True)
    rendered = subprocess.run(["kubectl", "kustomize", ROOT / "knative" / "base"], text=True,
                              capture_output=True, check=True).stdout
    (base / "all.yaml").write_text(rendered)
    (base / "kustomization.yaml").write_text(yaml.safe_dump({
        "resources": ["all.yaml"],
        "patches": [{"target": {"kind": "ConfigMap", "name": "tollgate"}, "patch": patch}]}))
    (folder / "rolling").symlink_to(rolling)
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(
        {"resources": ["base"], "components": ["rolling"]}))
    return {d["metadata"]["name"]: d["spec"]["template"] for d in objects(folder)
            if d["kind"] == "Service"}


def test_images_of_an_overlay_reach_functions():
    images = {d["metadata"]["name"]: d["spec"]["template"]["spec"]["containers"][0]["image"]
              for d in objects(OVERLAYS / "prod") if d["kind"] == "Service"}

    assert images == {name: f"tollgate/{name}:0.1.0" for name in images}


def test_who_publishes_has_a_token_for_the_broker():
    for found in objects(OVERLAYS / "prod"):
        if found["kind"] != "Service":
            continue
        (container,) = found["spec"]["template"]["spec"]["containers"]
        publishes = "BROKER_URL" in {variable["name"] for variable in container["env"]}
        mounted = {mount["name"] for mount in container.get("volumeMounts", ())}
        assert publishes == ("broker-token" in mounted), found["metadata"]["name"]


def test_command_says_what_it_found(capsys, overlay):
    latest = [{"name": "dev.local/tollgate/costs", "newName": "costs", "newTag": "latest"}]
    assert main([str(OVERLAYS / "dev")]) == 0
    assert main([str(overlay(images=latest))]) == 1

    said = capsys.readouterr().out
    assert "0 violations" in said
    assert "image-names-a-version: Service costs: spec.template.spec.containers.0.image" in said


def test_command_without_an_overlay_says_how_it_is_called(capsys, tmp_path):
    assert main([]) == 2
    assert main([str(tmp_path)]) == 2
    assert "name an overlay" in capsys.readouterr().err
