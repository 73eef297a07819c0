"""What an environment runs is pushed to a real Git repository, beside other releases."""

import subprocess

import pytest

from eventing.images.errors import CommandFailed
from eventing.pipelines.pinning import pin
from eventing.pipelines.recording import record

FIRST, SECOND = "registry.example/calculator:1", "registry.example/reader:1"


def git(folder, *words):
    return subprocess.run(["git", "-C", folder, "-c", "user.name=a", "-c", "user.email=a@b.invalid",
                           *words], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def clones(tmp_path):
    """Return two clones of one repository, each as a release has it."""
    origin = tmp_path / "origin.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", origin],
                   check=True)
    first = tmp_path / "first"
    subprocess.run(["git", "clone", "--quiet", origin, first], check=True, capture_output=True)
    (first / "terraform" / "environments" / "dev" / "apps").mkdir(parents=True)
    (first / "terraform" / "environments" / "dev" / "apps" / "main.tf").touch()
    git(first, "checkout", "--quiet", "-B", "main")
    git(first, "add", ".")
    git(first, "commit", "--quiet", "-m", "x")
    git(first, "push", "--quiet", "-u", "origin", "main")
    second = tmp_path / "second"
    subprocess.run(["git", "clone", "--quiet", origin, second], check=True)
    return first, second


def release(folder, function, image, environment="dev"):
    environments = folder / "terraform" / "environments"
    pin(environment, function, image, folder=environments)
    return record(environment, function, image, folder=folder)


def test_release_is_pushed_once(clones):
    first, second = clones

    assert release(first, "calculator", FIRST)
    assert not release(first, "calculator", FIRST)

    git(second, "pull", "--quiet")
    assert FIRST in git(second, "show", "HEAD:terraform/environments/dev/apps/"
                                        "images.auto.tfvars.json")
    assert git(second, "log", "-1", "--format=%s").strip() == f"Run {FIRST} in dev"


def test_release_after_another_is_pushed_on_top(clones):
    first, second = clones
    (first / "note").write_text("x")
    git(first, "add", "note")
    git(first, "commit", "--quiet", "-m", "other")
    git(first, "push", "--quiet")

    assert release(second, "reader", SECOND)

    git(first, "pull", "--quiet", "--rebase")
    assert SECOND in git(first, "show", "HEAD:terraform/environments/dev/apps/"
                                        "images.auto.tfvars.json")


def test_two_releases_of_one_environment_are_not_merged_blindly(clones):
    first, second = clones
    assert release(first, "calculator", FIRST)

    with pytest.raises(CommandFailed, match="rebase"):
        release(second, "reader", SECOND)
