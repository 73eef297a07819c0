"""The key that signs grants is changed while tasks run."""

import base64
import os
import subprocess
import sys

import anyio
import pytest

from tests.cluster.stream import Stream
from tests.cluster.workspace import NAMESPACE
from tests.kafka import kubectl
from tests.system import until

pytestmark = pytest.mark.anyio


def change(stage, *more):
    done = subprocess.run(
        [sys.executable, "-m", "eventing.cli.main", "secrets", "change-key", stage, *more,
         "--namespace", NAMESPACE], capture_output=True, text=True, check=False, timeout=420,
        env=os.environ)
    return done.returncode, done.stdout + done.stderr


def keys():
    found = kubectl.ask("-n", NAMESPACE, "get", "secret", "tollgate-grant-key",
                        "-o", "jsonpath={.data.key}")
    return base64.b64decode(found).decode().split(",")


async def test_key_change_under_load_loses_no_task(system, workspace, figures):
    (old,) = keys()
    stream = Stream(system, system.tenant())
    async with stream.flowing():
        await until(lambda: len(stream.tasks) >= 2, what="tasks flow")
        for stage in ("add", "swap"):
            code, said = await anyio.to_thread.run_sync(change, stage)
            assert code == 0, said
        new, kept = keys()
        count = len(stream.tasks)
        await until(lambda: len(stream.tasks) >= count + 2, what="tasks flow on")
    await stream.assert_each_completed_once()

    assert kept == old
    assert new != old
    refused, said = await anyio.to_thread.run_sync(change, "drop")
    assert refused
    assert "7 days" in said
    code, said = await anyio.to_thread.run_sync(lambda: change("drop", "--force"))
    assert code == 0, said
    assert keys() == [new]
    figures["tasks while the grant key changed"] = len(stream.tasks)
