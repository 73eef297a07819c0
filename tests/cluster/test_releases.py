"""The targets that pipelines release by, on a real cluster: at once, and by what tasks cost."""

import json
import os
import subprocess

import anyio
import pytest

from eventing.images.making import REPOSITORY
from eventing.pipelines.pinning import FILE
from tests.cluster.images import NEXT
from tests.cluster.stream import Stream
from tests.cluster.system import found
from tests.cluster.workspace import OVERLAY
from tests.system import until

pytestmark = pytest.mark.anyio

EASY = ("--percent 50 --min-samples 4 --max-duration 4m --max-cost-ratio 50 "
        "--max-error-increase 1 --max-p95-ratio 100")
"""Bounds that equal revisions keep after a few tasks."""


def released(workspace, *command, **more):
    """Run a target on the environment of these tests; return all it said."""
    env = os.environ | {"TF_VAR_overlay": OVERLAY,
                        "TF_VAR_images": json.dumps(workspace.images)} | more
    done = subprocess.run([*command, "env=local", f"terraform={workspace.folder / 'terraform'}"],
                          env=env, text=True, capture_output=True, check=False, timeout=420)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def pinned(workspace):
    """Give the file of images; afterwards the environment is as it was."""
    file = workspace.folder / "terraform" / "environments" / "local" / "apps" / FILE
    yield file
    file.unlink(missing_ok=True)
    workspace.apply("apps")


def image(function, tag):
    return f"{REPOSITORY}/{function}:{tag}"


async def images():
    """Return the image of each function."""
    return {one["metadata"]["name"]: one["spec"]["template"]["spec"]["containers"][0]["image"]
            for one in (await found("ksvc"))["items"]}


async def test_deploy_changes_the_image_of_one_function(system, workspace, pinned):
    before = await images()

    said = await anyio.to_thread.run_sync(
        lambda: released(workspace, "make", "deploy", "fn=calculator",
                         f"image={image('calculator', NEXT)}"))

    assert "0 added, 1 changed, 0 destroyed" in said.splitlines()[-1]
    assert await images() == before | {"calculator": image("calculator", NEXT)}
    assert json.loads(pinned.read_text())["images"] == {"calculator": image("calculator", NEXT)}


async def test_rollout_promotes_an_equal_image_and_leaves_nothing_to_apply(
        system, workspace, pinned, figures):
    stream = Stream(system, system.tenant())
    async with stream.flowing():
        await until(lambda: len(stream.tasks) >= 2, what="tasks flow")
        said = await anyio.to_thread.run_sync(
            lambda: released(workspace, "make", "rollout", "fn=researcher",
                             f"image={image('researcher', NEXT)}", f"ARGS={EASY}"))
    await stream.assert_each_completed_once()

    assert (await images())["researcher"] == image("researcher", NEXT)
    assert "0 added" in said.splitlines()[-1]
    assert "0 destroyed" in said.splitlines()[-1]
    state = json.loads((await service("researcher"))["metadata"]["annotations"][
        "tollgate.dev/rollout"])
    assert state["phase"] == "promoted"
    figures["tasks until an equal image was promoted"] = len(stream.tasks)


async def service(name):
    return next(one for one in (await found("ksvc"))["items"] if one["metadata"]["name"] == name)
