"""What an apply changes on a real cluster, and what it leaves alone."""

import json

from eventing.environments.errors import advice
from eventing.environments.repair import REMEMBERED, repair
from tests.kafka import kubectl

SERVICE, TRIGGER = "services.serving.knative.dev", "triggers.eventing.knative.dev"
OVER = {"metadata": {"annotations": {"tollgate.dev/rollout": None}}}
TRAFFIC = [{"percent": 100, "latestRevision": True, "tag": "candidate"}]


def test_applying_twice_changes_nothing(environment):
    assert environment.changes("messaging") == {}
    assert environment.changes("apps") == {}


def test_image_change_touches_that_function_only(edited):
    images = json.dumps({"calculator": "dev.local/tollgate/calculator:other"})
    other = edited.get(SERVICE, "notify")["metadata"]["generation"]

    changes = edited.changes("apps", images=images)
    edited.apply("apps", images=images)

    assert changes == {f"serving.knative.dev/Service/{edited.name}/calculator": "update"}
    container = edited.get(SERVICE, "calculator")["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "dev.local/tollgate/calculator:other"
    assert edited.get(SERVICE, "notify")["metadata"]["generation"] == other


def test_changed_setting_makes_a_new_revision_of_each_function(edited):
    settings = json.dumps({"LOG_LEVEL": "DEBUG"})

    changes = edited.changes("apps", settings=settings)

    assert changes == {
        f"_/ConfigMap/{edited.name}/tollgate": "update",
        f"serving.knative.dev/Service/{edited.name}/calculator": "update",
        f"serving.knative.dev/Service/{edited.name}/notify": "update"}


def test_addresses_follow_the_namespace(environment):
    settings = environment.get("configmap", "tollgate")["data"]
    broker = environment.get("brokers.eventing.knative.dev", "default")

    assert settings["LEDGER_URL"] == f"http://ledger.{environment.name}.svc.cluster.local"
    assert settings["BROKER_URL"].endswith(f"/{environment.name}/default")
    assert broker["spec"]["config"]["namespace"] == environment.name


def test_filter_change_updates_the_trigger_in_place(edited):
    before = edited.get(TRIGGER, "calculator-tool-requested")
    file = edited.manifest("calculator/trigger-tool-requested.yaml")
    file.write_text(file.read_text().replace("tool.requested.v1", "tool.requested.v2"))

    changes = edited.changes("apps")
    edited.apply("apps")

    after = edited.get(TRIGGER, "calculator-tool-requested")
    trigger = f"eventing.knative.dev/Trigger/{edited.name}/calculator-tool-requested"
    assert changes == {trigger: "update"}
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert "dev.tollgate.tool.requested.v2" in json.dumps(after["spec"]["filters"])


def test_removed_function_goes_away_and_nothing_else(edited):
    file = edited.overlay / "kustomization.yaml"
    overlay = json.loads(file.read_text())
    overlay["resources"].remove("../../base/notify")
    edited.write_overlay(overlay)

    changes = edited.changes("apps")
    edited.apply("apps")

    assert changes == {
        f"serving.knative.dev/Service/{edited.name}/notify": "delete",
        f"eventing.knative.dev/Trigger/{edited.name}/notify-tool-requested": "delete"}
    left = kubectl.ask("-n", edited.name, "get", f"{SERVICE},{TRIGGER}",
                   "-o", "name")
    assert "notify" not in left
    assert "calculator" in left


def test_rollout_in_progress_survives_an_apply_and_is_no_drift(edited):
    edited.patch(SERVICE, "calculator", {
        "metadata": {"annotations": {"tollgate.dev/rollout": "canary"}},
        "spec": {"traffic": TRAFFIC}})

    planned, drifted = edited.changes("apps"), edited.drift()
    edited.apply("apps", images=json.dumps({"calculator": "dev.local/tollgate/calculator:next"}))

    assert planned == {}
    assert drifted == []
    service = edited.get(SERVICE, "calculator")
    assert service["metadata"]["annotations"]["tollgate.dev/rollout"] == "canary"
    assert service["spec"]["traffic"] == TRAFFIC
    image = service["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image == "dev.local/tollgate/calculator:next"
    edited.patch(SERVICE, "calculator", OVER)


def test_change_by_hand_is_drift_although_terraform_plans_nothing(edited):
    edited.patch(TRIGGER, "notify-tool-requested", {"spec": {"filters": [
        {"exact": {"type": "somebody.elses"}}]}})

    drifted, planned = edited.drift(), edited.changes("apps")
    repair(edited.root("apps"), edited.environ)

    assert planned == {}
    assert len(drifted) == 1
    assert f"eventing.knative.dev.v1.Trigger.{edited.name}.notify-tool-requested" in drifted[0]
    assert "somebody.elses" in drifted[0]


def test_repair_puts_back_what_was_changed_by_hand(edited):
    before = edited.get(TRIGGER, "notify-tool-requested")
    edited.patch(TRIGGER, "notify-tool-requested", {"spec": {"filters": [
        {"exact": {"type": "somebody.elses"}}]}})

    lines = repair(edited.root("apps"), edited.environ)

    after = edited.get(TRIGGER, "notify-tool-requested")
    assert lines == [f"Trigger {edited.name}/notify-tool-requested: put back"]
    assert after["spec"] == before["spec"]
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert edited.drift() == []
    assert edited.changes("apps") == {}


def test_repair_leaves_a_rollout_alone(edited):
    edited.patch(SERVICE, "calculator", {
        "metadata": {"annotations": {"tollgate.dev/rollout": "canary"}},
        "spec": {"template": {"spec": {"timeoutSeconds": 11}}}})

    lines = repair(edited.root("apps"), edited.environ)

    service = edited.get(SERVICE, "calculator")
    assert lines == [f"Service {edited.name}/calculator: left to its rollout"]
    assert service["spec"]["template"]["spec"]["timeoutSeconds"] == 11
    edited.patch(SERVICE, "calculator", OVER)
    assert repair(edited.root("apps"), edited.environ) == [
        f"Service {edited.name}/calculator: put back"]


def test_object_that_lost_its_annotation_is_known_again_after_a_repair(edited):
    kubectl.ask("-n", edited.name, "annotate", TRIGGER, "notify-tool-requested",
            f"{REMEMBERED}-")

    lost = edited.try_apply("apps")
    lines = repair(edited.root("apps"), edited.environ)

    assert lost.code != 0
    assert "repair" in advice(lost.err)
    assert lines == [f"Trigger {edited.name}/notify-tool-requested: put back"]
    assert edited.changes("apps") == {}


def test_object_deleted_by_hand_is_made_again(edited):
    kubectl.ask("-n", edited.name, "delete", TRIGGER, "notify-tool-requested")

    changes = edited.changes("apps")
    edited.apply("apps")

    trigger = f"eventing.knative.dev/Trigger/{edited.name}/notify-tool-requested"
    assert changes == {trigger: "create"}
    assert edited.get(TRIGGER, "notify-tool-requested")


def test_plan_and_state_hold_no_secret(environment):
    for stack in ("messaging", "apps"):
        state = environment.run(stack, "state", "pull").out

        kinds = [json.loads(instance["attributes"]["manifest"])["kind"]
                 for resource in json.loads(state)["resources"]
                 if resource["type"] == "kustomization_resource"
                 for instance in resource["instances"]]
        assert kinds
        assert "Secret" not in kinds


def test_budgets_are_applied_with_the_functions(edited):
    file = edited.root("apps") / "budgets.yaml"
    file.write_text('{version: 1, tenants: {acme: {budgets: [{scope: tenant, usd: "5"}]}}}')

    edited.apply("apps", budgets_file="budgets.yaml")

    assert 'usd": "5"' in edited.get("configmap", "budgets")["data"]["budgets.yaml"]
