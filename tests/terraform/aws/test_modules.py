"""Every AWS module and root by itself: its form, its validity, its own tests."""

import re

import pytest

from tests.terraform.aws.stand import ROOT

MODULES = ("network", "cluster", "images", "storage", "redis", "kafka", "secrets", "identity",
           "platform")
ROOTS = [*(f"modules/{name}" for name in MODULES), "state",
         *(f"environments/{name}/platform" for name in ("dev", "staging", "prod"))]
TESTED = [f"modules/{name}" for name in MODULES if name != "platform"]


def text_of(root):
    return "\n".join(f.read_text() for f in sorted((ROOT / "terraform" / root).glob("*.tf")))


def ready(stand, root):
    done = stand.terraform(root, "init", "-backend=false", "-no-color")
    assert done.returncode == 0, done.stderr
    return stand


def test_files_are_formed_as_terraform_forms_them(stand):
    formed = [stand.terraform(root, "fmt", "-check", "-recursive", "-diff") for root in ROOTS]

    assert not [done.stdout for done in formed if done.returncode]


@pytest.mark.parametrize("root", [root for root in ROOTS if "modules/" not in root])
def test_root_and_all_modules_it_calls_are_valid(stand, root):
    valid = ready(stand, root).terraform(root, "validate", "-no-color")

    assert valid.returncode == 0, valid.stdout + valid.stderr
    assert "Warning" not in valid.stdout


@pytest.mark.parametrize("root", TESTED)
def test_modules_own_tests_pass(stand, root):
    done = ready(stand, root).terraform(root, "test", "-no-color")

    assert re.search(r"Success! [1-9]\d* passed, 0 failed", done.stdout), done.stdout + done.stderr


@pytest.mark.parametrize("root", ROOTS)
def test_every_variable_and_output_is_described_and_typed(root):
    text = text_of(root)
    blocks = re.findall(r'^(variable|output) "(\w+)" \{\n(.*?)^\}', text, re.MULTILINE | re.DOTALL)

    assert blocks
    for kind, name, body in blocks:
        assert "  description = " in re.sub(r" +=", " =", body), name
        assert kind == "output" or re.search(r"^  type +=", body, re.MULTILINE), name


@pytest.mark.parametrize("root", ROOTS)
def test_versions_are_pinned(root):
    text = text_of(root)

    assert 'required_version = ">= 1.11, < 2.0"' in text
    exact = "modules/" not in root
    assert re.search(r'version = "%s"' % (r"5\.100\.0" if exact else r"~> 5\.100"), text)


@pytest.mark.parametrize(("variable", "value", "said"), [
    ("region", "the moon", "Set region to an AWS region's name"),
    ("name", "Tollgate_Dev", "Set name to 2-30 lower-case letters"),
    ("secret_versions", '{"api_keys": -1}', "Number each version of a given secret"),
    ("public_access_cidrs", '["everybody"]', "List IPv4 ranges"),
    ("addons", "[1]", "Unsuitable value for var.addons"),
], ids=["region", "name", "number", "range", "type"])
def test_wrong_variable_says_what_to_set(stand, variable, value, said):
    code, line, shown = stand.run("plan", "dev", "--only", "platform",
                                  **{f"TF_VAR_{variable}": value})

    assert code == 1
    assert said in " ".join(shown.replace("│", " ").split())
    assert line.startswith("dev: plan failed: platform: ")
    assert "variable" in line
