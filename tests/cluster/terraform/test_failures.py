"""What goes wrong says what to do; what was applied stays, and a repair goes on from there."""

import json

import pytest
import yaml

from eventing.environments import live
from eventing.environments.errors import advice
from tests.cluster.terraform.environment import Environment
from tests.kafka import kubectl

QUOTA = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"},
         "spec": {"hard": {"count/services.serving.knative.dev": "1"}}}


@pytest.fixture
def prepared(environ, tmp_path):
    """An environment whose functions are not applied yet."""
    made = Environment(tmp_path, environ)
    made.apply("messaging")
    yield made
    made.destroy()


def edit(environment, path, old, new):
    file = environment.manifest(path)
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def test_misspelt_field_is_named_before_terraform_drops_it(edited):
    edit(edited, "calculator/trigger-tool-requested.yaml", "- exact:", "- exactt:")

    faults = edited.faults()

    assert faults == [
        f"Trigger {edited.name}/calculator-tool-requested: The request is invalid: patch: "
        'strict decoding error: unknown field "spec.filters[0].exactt"']
    assert "misspelt" in advice(faults[0])


def test_sound_manifests_have_no_faults(environment, prepared):
    assert environment.faults() == []
    assert prepared.faults() == []


def test_faults_are_found_before_the_namespace_exists(environ, tmp_path):
    fresh = Environment(tmp_path, environ)
    sound = fresh.faults()
    edit(fresh, "notify/trigger-tool-requested.yaml", "- exact:", "- exactt:")

    faults = fresh.faults()

    assert sound == []
    assert [fault.split(":")[0] for fault in faults] == [
        f"Trigger {fresh.name}/notify-tool-requested"]


def test_refused_field_is_repaired_by_the_next_apply(edited):
    before = edited.get("triggers.eventing.knative.dev", "notify-tool-requested")
    path = "notify/trigger-tool-requested.yaml"
    edit(edited, path, "tool: notify", "TOOL: notify")

    refused = edited.try_apply("apps")
    edit(edited, path, "TOOL: notify", "tool: notify")
    repaired = edited.apply("apps")

    assert refused.code != 0
    assert "can only contain lowercase alphanumeric" in refused.said
    assert "correct the field" in advice(refused.err)
    assert "0 added, 0 changed, 0 destroyed" in repaired.said
    after = edited.get("triggers.eventing.knative.dev", "notify-tool-requested")
    assert after["metadata"]["uid"] == before["metadata"]["uid"]


def test_quota_keeps_what_fits_and_a_raised_one_lets_the_rest_in(prepared):
    where = ("-n", prepared.name)
    kubectl.ask(*where, "create", "-f", "-", text=json.dumps(QUOTA))

    refused = prepared.try_apply("apps")
    first = kubectl.ask(*where, "get", "services.serving.knative.dev", "-o", "name")
    kubectl.ask(*where, "delete", "resourcequota", "few")
    prepared.apply("apps")

    assert refused.code != 0
    assert len(first.split()) == 1
    assert advice(refused.err).startswith(
        "The namespace's ResourceQuota few has no room for "
        "count/services.serving.knative.dev=1: raise it")
    assert prepared.changes("apps") == {}


def test_unreachable_cluster_is_said(environment, environ, tmp_path):
    config = json.loads(kubectl.ask("config", "view", "--raw", "-o", "json"))
    for cluster in config["clusters"]:
        cluster["cluster"]["server"] = "https://127.0.0.1:9"
    (tmp_path / "kubeconfig").write_text(json.dumps(config))
    elsewhere = environment.environ | {"TF_VAR_kubeconfig_path": str(tmp_path / "kubeconfig")}

    done = environment.run("apps", "plan", kubeconfig_path=str(tmp_path / "kubeconfig"))
    drifted = live.drift([{"apiVersion": "v1", "kind": "Namespace",
                           "metadata": {"name": environment.name}}], elsewhere)

    assert done.code != 0
    assert "cluster does not answer" in advice(done.err)
    assert "connection refused" in drifted[0]


def test_unknown_kind_is_said_before_anything_waits_for_it(prepared):
    overlay = json.loads((prepared.overlay / "kustomization.yaml").read_text())
    overlay["resources"].append("monitor.yaml")
    (prepared.overlay / "monitor.yaml").write_text(yaml.safe_dump({
        "apiVersion": "missing.example/v1", "kind": "Missing", "metadata": {
            "name": "one", "namespace": "tollgate"}}))
    prepared.write_overlay(overlay)

    faults = prepared.faults()

    assert faults == [f'Missing {prepared.name}/one: no matches for kind "Missing" in version '
                      '"missing.example/v1"']
    assert "CustomResourceDefinition is missing" in advice(faults[0])


@pytest.mark.parametrize(("variables", "said"), [
    ({"namespace": "Not_One"}, "1 to 63 lower-case letters"),
    ({"image_tag": "latest"}, "names no version"),
    ({"image_tag": "a b"}, "An image tag has"),
    ({"images": '{"calculater": "dev.local/tollgate/calculator:x"}'},
     "No such function: calculater"),
    ({"images": '{"calculator": "dev.local/tollgate/calculator"}'}, "a tag or a digest"),
    ({"settings": '{"log-level": "INFO"}'}, "like an environment variable"),
    ({"ingress": "http://example.test"}, "a domain alone"),
    ({"overlay": "nowhere"}, "There is no kustomization.yaml"),
    ({"kubeconfig_path": "/nowhere"}, "There is no kubeconfig at /nowhere"),
], ids=["namespace", "latest", "tag", "function", "untagged", "setting", "ingress", "overlay",
        "kubeconfig"])
def test_wrong_variable_is_refused_with_what_is_right(environment, variables, said):
    done = environment.run("apps", "plan", "-input=false", **variables)

    assert done.code != 0
    assert said in done.said


def test_secret_in_an_overlay_is_refused(edited):
    overlay = json.loads((edited.overlay / "kustomization.yaml").read_text())
    overlay["secretGenerator"] = [{"name": "leak", "literals": ["key=value"]}]
    edited.write_overlay(overlay)

    done = edited.run("apps", "plan", "-input=false")

    assert done.code != 0
    assert "readable in Terraform's state" in done.said


def test_placeholder_address_is_refused(edited):
    edit(edited, "broker/configmap-tollgate.yaml", "http://costs.tollgate.svc.cluster.local",
         "http://costs.prod.invalid")

    done = edited.run("apps", "plan", "-input=false")

    assert done.code != 0
    assert "costs.prod.invalid" in done.said
