"""A real API server, with Knative's webhooks, takes every overlay strictly, and nothing is made."""

import json
import uuid

import pytest
import yaml

from eventing.local.manifests.kustomize import objects
from eventing.policies.schemas import kind_of
from tests.goldens import NAMES, OVERLAYS
from tests.kafka import kubectl

NEEDS_OPERATOR = frozenset({"monitoring.coreos.com", "kafka.strimzi.io"})
"""Groups whose operators a test cluster may lack; their schemas are checked without one."""

NO_OIDC = "oidc-authentication feature not enabled"


@pytest.fixture(scope="module")
def served():
    return {line.rpartition("/")[0] for line in kubectl.ask("api-versions").split()}


@pytest.fixture(scope="module")
def namespace():
    name = f"tollgate-dry-{uuid.uuid4().hex[:8]}"
    kubectl.ask("create", "namespace", name)
    # Knative's webhook tries the pods of a Service, which needs their account to be there.
    kubectl.ask("create", "serviceaccount", "rollouts", "-n", name)
    yield name
    kubectl.ask("delete", "namespace", name, "--wait=false")


def moved(document, namespace):
    text = json.dumps(document).replace('"namespace": "tollgate"', f'"namespace": "{namespace}"')
    made = json.loads(text)
    if made["kind"] == "Namespace":
        made["metadata"]["name"] = namespace
    return made


def dry_run(documents):
    return kubectl.ask("apply", "--dry-run=server", "--validate=strict", "-f", "-",
                       text=yaml.safe_dump_all(documents))


def refusal(documents):
    """Return why the API server does not take them, nothing when it does."""
    try:
        dry_run(documents)
    except (kubectl.Refused, kubectl.Unreachable) as error:
        return str(error)
    return ""


@pytest.mark.parametrize("name", NAMES)
def test_api_server_takes_the_overlay(name, served, namespace):
    found = [moved(d, namespace) for d in objects(OVERLAYS / name)]
    groups = {d["apiVersion"].rpartition("/")[0] for d in found}
    assert groups - served <= NEEDS_OPERATOR
    sendable = [d for d in found if d["apiVersion"].rpartition("/")[0] in served]
    policies = [d for d in sendable if d["kind"] == "EventPolicy"]

    answer = dry_run([d for d in sendable if d not in policies])

    assert answer.count("(server dry run)") == len(sendable) - len(policies)
    for policy in policies:
        said = refusal([policy])
        assert not said or NO_OIDC in said


def test_api_server_and_offline_schemas_refuse_the_same_field(namespace):
    (trigger,) = [d for d in objects(OVERLAYS / "dev") if kind_of(d).endswith(" Trigger")
                  and d["metadata"]["name"] == "costs-ledger"]
    trigger["spec"]["filters"][0]["exactt"] = {"type": "x"}

    with pytest.raises(kubectl.Refused, match="exactt"):
        dry_run([moved(trigger, namespace)])
