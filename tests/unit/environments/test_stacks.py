"""Environments, their stacks, where states are, what Terraform finds in its environment."""

from pathlib import Path

import pytest
import yaml

from eventing.environments import plugins, state, variables
from eventing.environments.__main__ import main
from eventing.environments.stacks import Failed, Stack, environments, stacks_of

PLATFORM = {"cluster_name": "tollgate-dev", "cluster_endpoint": "https://k8s",
            "cluster_ca_data": "Q0E=", "region": "eu-west-1"}

BUCKET = 'terraform {\n  backend "s3" {}\n}\n'


@pytest.fixture
def folder(tmp_path):
    for name in ("dev/apps", "dev/platform", "dev/messaging", "local/apps", "notes"):
        root = tmp_path / "environments" / name
        root.mkdir(parents=True)
        (root / "main.tf").write_text(BUCKET if name == "dev/apps" else "")
    return tmp_path / "environments"


def test_stacks_come_in_the_order_they_build_on_each_other(folder):
    assert [s.name for s in stacks_of("dev", folder)] == ["platform", "messaging", "apps"]
    assert [s.name for s in stacks_of("local", folder)] == ["apps"]
    assert environments(folder) == ["dev", "local"]


@pytest.mark.parametrize("name", ["pord", "", "../dev", "notes"])
def test_unknown_environment_lists_the_known_ones(folder, name):
    with pytest.raises(Failed, match="one of dev, local"):
        stacks_of(name, folder)


@pytest.mark.parametrize("command", ["plan", "apply", "destroy", "drift"])
def test_command_on_an_unknown_environment_ends_in_one_line(folder, capsys, command):
    code = main([command, "pord", "--folder", str(folder.parent)])

    assert code == 1
    assert capsys.readouterr().out == (
        f"pord: {command} failed: there is no environment 'pord': "
        "say env=NAME with one of dev, local\n")


def test_command_without_an_environment_lists_them(folder, capsys):
    assert main(["plan", "--folder", str(folder.parent)]) == 1
    assert "say env=NAME with one of dev, local" in capsys.readouterr().out


def test_missing_terraform_is_said(folder, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    assert main(["plan", "dev", "--folder", str(folder.parent)]) == 1
    assert "terraform is not in PATH: install Terraform 1.11" in capsys.readouterr().out


def test_missing_kubectl_is_said_where_it_is_needed(folder, capsys, monkeypatch, tmp_path):
    program = tmp_path / "terraform"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert main(["plan", "local", "--folder", str(folder.parent)]) == 1
    assert "kubectl is not in PATH" in capsys.readouterr().out


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "nonsense", "http://127.0.0.1:99999"])
def test_stand_in_of_aws_that_does_not_answer_is_said_at_once(folder, capsys, monkeypatch, url,
                                                              tmp_path):
    for name in ("terraform", "kubectl"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)

    assert main(["apply", "dev", "--folder", str(folder.parent)]) == 1
    assert f"nothing answers at AWS_ENDPOINT_URL={url}" in capsys.readouterr().out


@pytest.mark.parametrize("bucket", ["", "x", "Upper", "trail-", "a" * 64])
def test_state_needs_a_bucket_name(capsys, bucket, tmp_path):
    assert main(["state", bucket, "--folder", str(tmp_path)]) == 1
    assert "make state bucket=NAME" in capsys.readouterr().out


# ---- state ----------------------------------------------------------------------------------

def test_state_is_where_the_stack_says(folder):
    platform, _, apps = stacks_of("dev", folder)

    assert (platform.backend, apps.backend) == ("local", "s3")
    assert state.backend_arguments(platform, {}) == []
    assert state.backend_arguments(apps, {}) == []


def test_given_bucket_takes_its_place_with_a_lock(folder):
    platform, _, _ = stacks_of("dev", folder)
    given = {"TOLLGATE_STATE_BUCKET": "b", "TOLLGATE_STATE_REGION": "eu-west-1"}

    state.place_override(platform, given)

    assert (platform.root / "backend_override.tf").exists()
    assert {"-backend-config=bucket=b", "-backend-config=key=dev/platform.tfstate",
            "-backend-config=region=eu-west-1", "-backend-config=use_lockfile=true",
            "-backend-config=encrypt=true"} == set(state.backend_arguments(platform, given))
    assert platform.backend == "local"


def test_override_goes_when_no_bucket_is_given(folder):
    platform, _, _ = stacks_of("dev", folder)
    state.place_override(platform, {"TOLLGATE_STATE_BUCKET": "b"})

    state.place_override(platform, {})

    assert not (platform.root / "backend_override.tf").exists()


def test_an_override_of_people_stays(folder):
    platform, _, _ = stacks_of("dev", folder)
    (platform.root / "backend_override.tf").write_text("# mine\n")

    state.place_override(platform, {})

    assert (platform.root / "backend_override.tf").read_text() == "# mine\n"


# ---- variables ------------------------------------------------------------------------------

def test_outputs_become_variables_and_the_callers_win():
    given = variables.with_outputs({"TF_VAR_name": "mine"}, {
        "name": "theirs", "region": "eu-west-1", "roles": {"costs": "arn"}, "none": None})

    assert given == {"TF_VAR_name": "mine", "TF_VAR_region": "eu-west-1",
                     "TF_VAR_roles": '{"costs": "arn"}'}


def test_callers_kubeconfig_wins(tmp_path):
    given = variables.base_environment({"KUBECONFIG": "/mine"})

    assert given["TF_VAR_kubeconfig_path"] == "/mine"
    assert variables.with_kubeconfig(given, PLATFORM, tmp_path / "k") == given
    assert not (tmp_path / "k").exists()


def test_kubeconfig_of_the_platform_holds_no_secret(tmp_path):
    file = tmp_path / ".tollgate" / "dev.kubeconfig"

    given = variables.with_kubeconfig({}, PLATFORM, file)

    assert {given["KUBECONFIG"], given["TF_VAR_kubeconfig_path"]} == {str(file)}
    assert file.stat().st_mode & 0o777 == 0o600
    user = yaml.safe_load(file.read_text())["users"][0]["user"]
    assert user["exec"]["command"] == "aws"
    assert list(user) == ["exec"]


def test_without_a_cluster_there_is_no_kubeconfig(tmp_path):
    assert variables.with_kubeconfig({}, {"cluster_name": "x"}, tmp_path / "k") == {}


def test_folder_of_providers_serves_instead_of_the_network(tmp_path):
    (tmp_path / "mirror" / "host" / "hashicorp" / "aws").mkdir(parents=True)
    environ = {"XDG_CACHE_HOME": str(tmp_path), "TF_CLI_CONFIG_FILE": str(tmp_path / "absent"),
               "TOLLGATE_TERRAFORM_PLUGINS": str(tmp_path / "mirror")}

    given = plugins.ready_environment(environ)

    text = Path(given["TF_CLI_CONFIG_FILE"]).read_text()
    assert f'path    = "{tmp_path / "mirror"}"' in text
    assert text.count('["hashicorp/*"]') == 2


def test_configuration_of_people_wins_over_the_folder(tmp_path):
    mine = tmp_path / "terraformrc"
    mine.write_text("")
    environ = {"XDG_CACHE_HOME": str(tmp_path), "TF_CLI_CONFIG_FILE": str(mine),
               "TOLLGATE_TERRAFORM_PLUGINS": str(tmp_path)}

    assert plugins.ready_environment(environ)["TF_CLI_CONFIG_FILE"] == str(mine)


def test_stack_names_its_state_by_environment(tmp_path):
    assert Stack("prod", "apps", tmp_path).state_key == "prod/apps.tfstate"
