"""Budgets as code: what Terraform renders is what the ledger reads."""

import copy
import json

import pytest
import yaml

from tests.cluster.terraform.environment import own_root, terraform
from tests.kafka import kubectl

ROOT = """
variable "namespace" {{ type = string }}
module "budgets" {{
  source = "{project}/terraform/modules/budgets"

  namespace = var.namespace
  budgets   = yamldecode(file("budgets.yaml"))
}}
output "tenants" {{ value = module.budgets.tenants }}
"""
BUDGETS = {"version": 1, "tenants": {"acme": {"timezone": "Europe/Berlin", "budgets": [
    {"scope": "tenant", "window": "month", "usd": "250.00", "thresholds": [50, 100],
     "policy": "pause"},
    {"scope": "agent", "id": "researcher", "window": "day", "usd": "5", "tokens": 2000000},
    {"scope": "tool", "id": "notify", "window": "hour", "calls": 60, "thresholds": []}]}}}


@pytest.fixture
def root(environ, tmp_path):
    own_root(tmp_path, environ, ROOT)
    return tmp_path


def write(root, budgets):
    (root / "budgets.yaml").write_text(yaml.safe_dump(budgets))


def test_budgets_reach_the_ledgers_file_and_change_in_place(environ, root, namespace):
    given = {**environ, "TF_VAR_namespace": namespace}
    write(root, BUDGETS)
    assert terraform(root, given, "apply", "-auto-approve").code == 0
    again = terraform(root, given, "plan", "-detailed-exitcode")
    before = config_map(namespace)

    changed = copy.deepcopy(BUDGETS)
    changed["tenants"]["acme"]["budgets"][2]["calls"] = 90
    write(root, changed)
    terraform(root, given, "apply", "-auto-approve")

    after = config_map(namespace)
    assert again.code == 0
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert yaml.safe_load(after["data"]["budgets.yaml"]) == changed


def test_ledger_reads_what_terraform_writes(environ, root, namespace):
    from functions.ledger.budget_file import read

    write(root, BUDGETS)
    terraform(root, {**environ, "TF_VAR_namespace": namespace}, "apply", "-auto-approve")

    assert read(config_map(namespace)["data"]["budgets.yaml"])


def test_faults_are_named_with_their_place(environ, root, namespace):
    write(root, {"version": 1, "tenants": {"acme": {"budgets": [
        {"scope": "tenant", "windw": "day", "calls": -1}, {"scope": "agent", "usd": "-5"}]}}})

    done = terraform(root, {**environ, "TF_VAR_namespace": namespace}, "plan")

    assert done.code != 0
    for said in ("tenants.acme.budgets[0]: there is no field windw",
                 "tenants.acme.budgets[0]: tokens and calls are whole numbers from 0",
                 "tenants.acme.budgets[1]: id says which one",
                 "tenants.acme.budgets[1]: usd is a decimal from 0", "docs/budgets.md"):
        assert said in done.said


def config_map(namespace):
    return json.loads(kubectl.ask("-n", namespace, "get", "cm", "budgets", "-o", "json"))
