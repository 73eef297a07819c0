"""What the modules' own tests say; they need the provider, and no cluster."""

import shutil

import pytest

from tests.cluster.terraform.environment import PROJECT, terraform

MODULES = PROJECT / "terraform" / "modules"
OWN = sorted(path.parent.name for path in MODULES.glob("*/tests")
             if "kbst/kustomization" in (path.parent / "versions.tf").read_text()
             or path.parent.name == "access")
ROOTS = sorted(path for stack in ("messaging", "apps")
               for path in (PROJECT / "terraform" / "environments").glob(f"*/{stack}"))


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


def test_roots_differ_in_overlay_state_and_defaults_only():
    for stack in ("messaging", "apps"):
        texts = {(PROJECT / "terraform" / "environments" / name / stack / "main.tf").read_text()
                 .replace(f"overlays/{name}", "overlays/*") for name in ("dev", "staging", "prod")}
        assert len(texts) == 1
