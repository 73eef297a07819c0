"""What the modules' own tests say; they need the provider, and no cluster."""

import json
import re
import shutil

import pytest

from tests.cluster.terraform.environment import PROJECT, terraform

MODULES = PROJECT / "terraform" / "modules"
OWN = sorted(path.parent.name for path in MODULES.glob("*/tests")
             if "kbst/kustomization" in (path.parent / "versions.tf").read_text()
             or path.parent.name == "access")
ROOTS = sorted(path for stack in ("messaging", "apps")
               for path in (PROJECT / "terraform" / "environments").glob(f"*/{stack}"))

OTHER_MEANINGS = re.compile(
    r'"name":"tollgate"|tollgate[._-]\w|dev\.tollgate|/etc/tollgate|"tollgate/[a-z]+:[0-9.]+"')
"""The ConfigMap, labels and metrics, event types, folders, images: not the namespace."""


@pytest.fixture
def copied(tmp_path):
    target = tmp_path / "terraform"
    shutil.copytree(PROJECT / "terraform", target,
                    ignore=shutil.ignore_patterns(".terraform*", "*.tfstate"))
    return target


@pytest.mark.parametrize("module", OWN)
def test_module_passes_its_own_tests(environ, copied, module):
    folder = copied / "modules" / module
    assert terraform(folder, environ, "init").code == 0

    done = terraform(folder, environ, "test")

    assert done.code == 0, done.out + done.err


@pytest.mark.parametrize("root", ROOTS, ids=lambda path: "-".join(path.parts[-2:]))
def test_root_is_valid(environ, copied, root):
    folder = copied / "environments" / root.parent.name / root.name
    assert terraform(folder, environ, "init", "-backend=false").code == 0

    done = terraform(folder, environ, "validate")

    assert done.code == 0, done.said


def test_no_field_of_production_names_another_namespace(environ, copied):
    shutil.copytree(PROJECT / "knative", copied.parent / "knative")
    folder, file = copied / "environments" / "local" / "apps", str(copied / "plan")
    given = {**environ, "TF_VAR_overlay": "prod", "TF_VAR_namespace": "elsewhere-1"}
    assert terraform(folder, given, "init").code == 0

    done = terraform(folder, given, "plan", f"-out={file}")

    assert done.code == 0, done.err
    plan = json.loads(terraform(folder, given, "show", "-json", file).out)
    text = "\n".join(x["change"]["after"]["manifest"] for x in plan["resource_changes"])
    assert text.count("elsewhere-1") > 50
    assert re.findall(r".{20}\btollgate\b.{20}", OTHER_MEANINGS.sub("", text)) == []


def test_costs_archives_into_the_platforms_bucket(environ, copied):
    shutil.copytree(PROJECT / "knative", copied.parent / "knative")
    folder, file = copied / "environments" / "dev" / "apps", str(copied / "plan")
    given = {**environ, "TF_VAR_archive_bucket": "tollgate-dev-archive"}
    assert terraform(folder, given, "init").code == 0

    done = terraform(folder, given, "plan", f"-out={file}")

    assert done.code == 0, done.err
    plan = json.loads(terraform(folder, given, "show", "-json", file).out)
    objects = [json.loads(x["change"]["after"]["manifest"]) for x in plan["resource_changes"]]
    (settings,) = [o["data"] for o in objects if o["kind"] == "ConfigMap"
                   and o["metadata"]["name"] == "tollgate"]
    assert settings["COSTS_ARCHIVE_BUCKET"] == "tollgate-dev-archive"


def test_roots_differ_in_overlay_state_and_defaults_only():
    for stack in ("messaging", "apps"):
        texts = {(PROJECT / "terraform" / "environments" / name / stack / "main.tf").read_text()
                 .replace(f"overlays/{name}", "overlays/*") for name in ("dev", "staging", "prod")}
        assert len(texts) == 1
