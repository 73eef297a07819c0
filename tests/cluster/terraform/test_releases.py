"""Knative and its neighbours come from manifests that the operator pinned."""

import json
import uuid

import pytest
import yaml

from eventing.environments.releases import pins
from tests.cluster.terraform.environment import own_root, terraform
from tests.kafka import kubectl

ROOT = """
variable "releases" {{ type = any }}
variable "serving_config" {{ type = any }}
module "knative" {{
  source = "{project}/terraform/modules/knative"

  directory      = "releases"
  releases       = var.releases
  serving_config = var.serving_config
  timeout        = "60s"
}}
output "versions" {{ value = module.knative.versions }}
"""
"""A root of its own: an operator's, outside the project."""


def definition(group):
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": f"widgets.{group}"}, "spec": {
                "group": group, "scope": "Namespaced",
                "names": {"kind": "Widget", "plural": "widgets", "singular": "widget"},
                "versions": [{"name": "v1", "served": True, "storage": True, "schema": {
                    "openAPIV3Schema": {"type": "object", "properties": {"spec": {
                        "type": "object", "properties": {"size": {"type": "integer"}}}}}}}]}}


def write(file, *objects):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump_all(objects))


@pytest.fixture
def root(environ, tmp_path):
    """A made-up Serving: its definition in one release, an object of that kind in the next."""
    name = f"c2-{uuid.uuid4().hex[:8]}"
    group = f"{name}.example"
    releases = tmp_path / "releases"
    config = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1"},
              "metadata": {"name": "config-features", "namespace": name}}
    widget = {"apiVersion": f"{group}/v1", "kind": "Widget", "spec": {"size": 1},
              "metadata": {"name": "one", "namespace": name}}
    write(releases / "serving" / "core.yaml", {
        "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, definition(group),
        config)
    write(releases / "ingress" / "all.yaml", widget)
    for release in ("serving", "ingress"):
        (releases / release / "VERSION").write_text("1.23.0\n")
    tmp_path.joinpath("name").write_text(name)
    own_root(tmp_path, environ, ROOT)
    given = with_variables(environ, tmp_path)
    yield tmp_path
    if (tmp_path / "terraform.tfstate").exists():
        terraform(tmp_path, given, "destroy", "-auto-approve")


def with_variables(environ, root, config=None):
    return {**environ, "TF_VAR_releases": json.dumps(pins(root / "releases")),
            "TF_VAR_serving_config": json.dumps(config or {"config-features": {"b": "2"}})}


def test_releases_are_installed_in_order_configured_and_taken_away(environ, root):
    name, given = root.joinpath("name").read_text(), with_variables(environ, root)

    applied = terraform(root, given, "apply", "-auto-approve")
    again = terraform(root, given, "plan", "-detailed-exitcode")
    config = json.loads(kubectl.ask("-n", name, "get", "cm", "config-features", "-o", "json"))
    widget = kubectl.ask("-n", name, "get", f"widgets.{name}.example", "-o", "name")
    destroyed = terraform(root, given, "destroy", "-auto-approve")

    assert applied.code == 0, applied.err
    assert again.code == 0, again.said
    assert config["data"] == {"a": "1", "b": "2"}
    assert "one" in widget
    assert destroyed.code == 0, destroyed.err
    assert name not in kubectl.ask("get", "namespace,crd", "-o", "name")


def test_manifest_that_is_not_what_was_pinned_is_refused(environ, root):
    given = with_variables(environ, root)
    file = root / "releases" / "serving" / "core.yaml"
    file.write_text(file.read_text() + "\n# and a little more\n")

    done = terraform(root, given, "plan")

    assert done.code != 0
    assert "Not what was pinned, in releases/serving: core.yaml" in done.said


def test_missing_manifest_is_named(environ, root):
    given = with_variables(environ, root)
    (root / "releases" / "ingress" / "all.yaml").unlink()

    done = terraform(root, given, "plan")

    assert "Missing in releases/ingress: all.yaml" in done.said


def test_setting_of_a_config_map_that_the_release_lacks_is_refused(environ, root):
    done = terraform(root, with_variables(environ, root, {"config-nowhere": {"b": "2"}}), "plan")

    assert done.code != 0
    assert "no ConfigMap config-nowhere, only config-features" in done.said


@pytest.mark.parametrize(("change", "said"), [
    ({"istio": {"version": "1.0.0", "files": {"a.yaml": "0" * 64}}}, "Known releases:"),
    ({"eventing": {"version": "latest", "files": {"a.yaml": "0" * 64}}}, "version is exact"),
    ({"kafka-broker": {"version": "1.23.0", "files": {"a.yaml": "0" * 64}}},
     "needs the release eventing"),
    ({"ingress": None}, "Serving needs a network layer"),
    ({"serving": {"version": "1.23.0", "files": {"core.yaml": "abc"}}}, "64 hex digits"),
], ids=["unknown", "version", "kafka", "ingress", "checksum"])
def test_wrong_release_is_refused_with_what_is_right(environ, root, change, said):
    releases = {name: x for name, x in {**pins(root / "releases"), **change}.items() if x}
    given = with_variables(environ, root) | {"TF_VAR_releases": json.dumps(releases)}

    done = terraform(root, given, "plan")

    assert done.code != 0
    assert said in done.said
