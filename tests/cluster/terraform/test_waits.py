"""What Terraform says by itself when the cluster lacks something, and what we say about it."""

import json

import pytest
import yaml

from eventing.environments.errors import advice
from tests.cluster.terraform.environment import Environment, own_root, terraform
from tests.kafka import kubectl

ROOT = """
variable "layer" {{ type = string }}
module "overlay" {{
  source = "{project}/terraform/modules/overlay"

  path    = "overlay"
  layer   = var.layer
  timeout = "3s"
}}
"""


@pytest.fixture
def failed(environ, tmp_path):
    """Return a function that applies one object into a namespace that is not there."""
    name = Environment.new_name()
    own_root(tmp_path, environ, ROOT)
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    (overlay / "kustomization.yaml").write_text("resources: [all.yaml]\n")

    def applied(api, kind, layer="apps", **more):
        (overlay / "all.yaml").write_text(yaml.safe_dump_all([
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
            {"apiVersion": api, "kind": kind, "metadata": {"name": "one", "namespace": name}}]))
        given = {**environ, "TF_VAR_layer": layer, **more}
        done = terraform(tmp_path, given, "apply", "-auto-approve")
        assert done.code != 0
        return done.err
    return applied


def test_missing_kind_ends_the_wait_with_what_to_install(failed):
    said = failed("missing.example/v1", "Broker")

    assert "CustomResourceDefinition is missing" in advice(said)


def test_missing_namespace_ends_the_wait_with_the_stack_to_apply_first(failed):
    said = failed("v1", "ConfigMap")

    assert "apply messaging first" in advice(said)


def test_missing_right_names_who_lacks_which(failed, environ, tmp_path):
    config = json.loads(kubectl.ask("config", "view", "--raw", "-o", "json"))
    for user in config["users"]:
        user["user"]["as"] = "nobody"
    (tmp_path / "kubeconfig").write_text(json.dumps(config))

    said = failed("v1", "ConfigMap", "messaging",
                  TF_VAR_kubeconfig_path=str(tmp_path / "kubeconfig"))

    assert advice(said).startswith("nobody may not create namespaces in the cluster")


def test_file_that_is_no_kubeconfig_is_said(failed, tmp_path):
    (tmp_path / "kubeconfig").write_text("nonsense")

    said = failed("v1", "ConfigMap", TF_VAR_kubeconfig_path=str(tmp_path / "kubeconfig"))

    assert "kubeconfig cannot be read" in advice(said)
