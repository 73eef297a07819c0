"""The file of images that an environment runs: one line per function, never a moving tag."""

import json

import pytest

from eventing.pipelines.errors import PipelineFault
from eventing.pipelines.pinning import FILE, pin

FIRST, SECOND = "registry.example/calculator:1.0.0", "registry.example/calculator:1.0.1"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "dev" / "apps").mkdir(parents=True)
    (tmp_path / "prod" / "apps").mkdir(parents=True)
    return tmp_path


def images(folder, environment="dev"):
    return json.loads((folder / environment / "apps" / FILE).read_text())["images"]


def test_image_is_set_for_one_function_of_one_environment(folder):
    assert pin("dev", "calculator", FIRST, folder=folder) is None
    assert pin("dev", "reader", "registry.example/reader:2", folder=folder) is None
    assert pin("dev", "calculator", SECOND, folder=folder) == FIRST

    assert images(folder) == {"calculator": SECOND, "reader": "registry.example/reader:2"}
    assert not (folder / "prod" / "apps" / FILE).exists()


def test_same_image_again_changes_nothing(folder):
    pin("dev", "calculator", FIRST, folder=folder)
    before = (folder / "dev" / "apps" / FILE).stat().st_mtime_ns

    assert pin("dev", "calculator", FIRST, folder=folder) == FIRST
    assert (folder / "dev" / "apps" / FILE).stat().st_mtime_ns == before


def test_digest_is_a_version(folder):
    assert pin("dev", "calculator", "r.example/c@sha256:" + "0" * 64, folder=folder) is None


@pytest.mark.parametrize("image", [
    "registry.example/calculator", "registry.example/calculator:latest", "", "Upper/case:1",
    "registry.example/calculator@sha256:12", "a b:1",
], ids=["no-tag", "latest", "empty", "upper-case", "short-digest", "space"])
def test_image_without_a_fixed_version_is_refused(folder, image):
    with pytest.raises(PipelineFault, match="no fixed version"):
        pin("dev", "calculator", image, folder=folder)


def test_unknown_names_are_told_the_known_ones(folder):
    with pytest.raises(PipelineFault, match="dev, prod"):
        pin("staging", "calculator", FIRST, folder=folder)
    with pytest.raises(PipelineFault, match="calculator, costs"):
        pin("dev", "abacus", FIRST, folder=folder)
