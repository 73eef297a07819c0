"""Three small stacks in a row, with the real Terraform: order, outputs, failures, interrupts."""

import json
import signal
import time

import pytest

from tests.terraform.aws.stand import Stand

ROOTS = {
    "platform": """
        variable "size" {
          type    = number
          default = 1
        }
        resource "terraform_data" "this" {
          count = var.size
        }
        output "cluster_name" { value = "tollgate-demo" }
        output "names" { value = { a = "1" } }
        output "hidden" {
          value     = "hidden-value"
          sensitive = true
        }
    """,
    "messaging": """
        variable "names" {
          type    = map(string)
          default = {}
        }
        variable "hidden" {
          type    = string
          default = ""
        }
        resource "terraform_data" "this" { input = [var.names, var.hidden] }
        output "namespace" { value = "demo" }
    """,
    "apps": """
        variable "namespace" {
          type    = string
          default = ""
        }
        variable "command" {
          type    = string
          default = "true"
        }
        resource "terraform_data" "first" { input = var.namespace }
        resource "terraform_data" "second" {
          input      = var.command
          depends_on = [terraform_data.first]
          provisioner "local-exec" { command = var.command }
        }
    """,
}


@pytest.fixture
def demo(tmp_path):
    for stack, text in ROOTS.items():
        root = tmp_path / "terraform" / "environments" / "demo" / stack
        root.mkdir(parents=True)
        (root / "main.tf").write_text(text)
    stand = Stand(tmp_path, "")
    stand.environ = {"KUBECONFIG": str(tmp_path / "kubeconfig")}
    return stand


def resources(stand, stack):
    file = stand.root("demo", stack) / "terraform.tfstate"
    return json.loads(file.read_text())["resources"] if file.exists() else []


def test_stacks_are_applied_in_order_and_given_each_others_outputs(demo):
    code, line, shown = demo.run("apply", "demo")

    assert code == 0, shown
    assert line == ("demo: 4 added, 0 changed, 0 destroyed (platform: 1 added, 0 changed, "
                    "0 destroyed; messaging: 1 added, 0 changed, 0 destroyed; "
                    "apps: 2 added, 0 changed, 0 destroyed)")
    made = [resources(demo, s)[0]["instances"][0]["attributes"] for s in ("messaging", "apps")]
    assert made[0]["input"]["value"] == [{"a": "1"}, ""]
    assert made[1]["input"]["value"] == "demo"


def test_apply_again_changes_nothing(demo):
    demo.run("apply", "demo")

    code, line, _ = demo.run("apply", "demo")

    assert (code, line) == (0, "demo: 0 added, 0 changed, 0 destroyed (platform: no changes; "
                               "messaging: no changes; apps: no changes)")


def test_one_stack_alone(demo):
    demo.run("apply", "demo")

    _, line, _ = demo.run("apply", "demo", "--only", "platform", TF_VAR_size="3")

    assert line == ("demo: 2 added, 0 changed, 0 destroyed "
                    "(platform: 2 added, 0 changed, 0 destroyed)")


def test_plan_of_nothing_says_what_waits(demo):
    code, line, _ = demo.run("plan", "demo")

    assert (code, line) == (0, "demo: 1 to add, 0 to change, 0 to destroy (platform: 1 to add, "
                               "0 to change, 0 to destroy; messaging: waits for platform; "
                               "apps: waits for platform)")
    assert not resources(demo, "platform")


def test_failure_names_the_stack_and_what_was_done_and_a_repair_goes_on(demo):
    code, line, shown = demo.run("apply", "demo", TF_VAR_command="exit 7")

    assert code == 1
    assert line.startswith("demo: apply failed: apps: local-exec provisioner error")
    assert "Done before: platform: 1 added, 0 changed, 0 destroyed; messaging: 1 added" in line
    assert "exit status 7" in shown
    _, repaired, _ = demo.run("apply", "demo")
    assert repaired.startswith("demo: 1 added, 0 changed, 1 destroyed (platform: no changes; ")


def test_drift_of_the_configuration_is_no_silence(demo):
    demo.run("apply", "demo")

    same = demo.run("drift", "demo")
    other = demo.run("drift", "demo", TF_VAR_size="2")

    assert same[:2] == (0, "demo: no drift")
    assert other[:2] == (
        2, "demo: drift in 1: terraform_data.this[1] (missing) [not applied yet]")


def test_destroy_goes_backwards_and_leaves_nothing(demo):
    demo.run("apply", "demo")

    code, line, shown = demo.run("destroy", "demo", "--yes")

    assert code == 0, shown
    assert line == ("demo: 0 added, 0 changed, 4 destroyed (apps: 0 added, 0 changed, 2 destroyed; "
                    "messaging: 0 added, 0 changed, 1 destroyed; "
                    "platform: 0 added, 0 changed, 1 destroyed)")
    assert not any(resources(demo, stack) for stack in ROOTS)


def test_ci_destroys_without_asking(demo):
    demo.run("apply", "demo", "--only", "platform")

    code, line, _ = demo.run("destroy", "demo", CI="true")

    assert (code, line) == (0, "demo: 0 added, 0 changed, 1 destroyed (apps: nothing there; "
                               "messaging: nothing there; "
                               "platform: 0 added, 0 changed, 1 destroyed)")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["interrupt", "terminate"])
def test_interrupted_apply_waits_for_terraform_and_keeps_what_was_made(demo, number):
    begun = demo.folder / "begun"
    process = demo.start("apply", "demo", TF_VAR_command=f"touch {begun}; exec sleep 60")
    wait_for(begun, process)

    process.send_signal(number)
    output, errors = process.communicate(timeout=60)

    assert process.returncode == 130
    assert output.splitlines()[-1] == "demo: apply interrupted; run it again to go on"
    assert "waiting for Terraform" in errors
    assert "Gracefully shutting down" in output
    assert "first" in {r["name"] for r in resources(demo, "apps")}
    assert demo.run("apply", "demo")[0] == 0


def wait_for(file, process):
    until = time.monotonic() + 60
    while not file.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until, "Terraform did not begin within 60 s"
        time.sleep(0.05)


def test_error_of_the_configuration_is_shown(demo):
    (demo.root("demo") / "main.tf").write_text("resource {")

    code, line, shown = demo.run("plan", "demo")

    assert code == 1
    assert line.startswith("demo: plan failed: platform: ")
    assert "main.tf line 1" in shown
