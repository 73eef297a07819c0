"""Functions are replaced while tasks run."""

import time

import pytest

from eventing.images.making import REPOSITORY
from tests.cluster.images import NEXT, ROLLED
from tests.cluster.stream import Stream
from tests.cluster.system import found, is_ready
from tests.system import until

pytestmark = pytest.mark.anyio

READY_S = 120.0


async def revisions():
    """Return the newest ready revision of every function."""
    return {one["metadata"]["name"]: one["status"]["latestReadyRevisionName"]
            for one in (await found("ksvc"))["items"]}


async def test_rolling_update_under_load_loses_no_task(system, workspace, figures):
    import anyio

    stream, lines = Stream(system, system.tenant()), []
    before = await revisions()
    async with stream.flowing():
        await until(lambda: len(stream.tasks) >= 4, what="tasks flow")
        for function in ROLLED:
            began = time.monotonic()
            workspace.images[function] = f"{REPOSITORY}/{function}:{NEXT}"
            lines.append(await anyio.to_thread.run_sync(workspace.apply, "apps"))
            await until(lambda name=function: is_ready("ksvc", name), timeout_s=READY_S)
            figures[f"{function} replaced in"] = f"{time.monotonic() - began:.1f} s"
        count = len(stream.tasks)
        await until(lambda: len(stream.tasks) >= count + 4, what="tasks flow on")

    await stream.assert_each_completed_once()
    after = await revisions()
    assert {name for name in before if before[name] != after[name]} == set(ROLLED)
    assert all("0 added, 1 changed, 0 destroyed" in line for line in lines), lines
    figures["tasks during the updates"] = len(stream.tasks)
