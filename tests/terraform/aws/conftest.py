"""One AWS of moto's and one copy of the configuration per test file."""

import shutil

import pytest

from tests.terraform.aws.stand import LOG, Stand, copied, started_aws


@pytest.fixture(scope="session", autouse=True)
def _terraform_is_there():
    assert shutil.which("terraform"), "terraform is not in PATH: install Terraform 1.11 or later"


@pytest.fixture(scope="module")
def stand(tmp_path_factory):
    folder = tmp_path_factory.mktemp("terraform")
    process, url = started_aws(folder / LOG)
    yield Stand(copied(folder), url)
    process.terminate()
    process.wait(60)
