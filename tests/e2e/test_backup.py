"""A snapshot taken and restored with the very commands of docs/operations.md."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
from functools import partial
from pathlib import Path

import pytest

from tests.redis_server import RedisServer
from tests.system import System, until

pytestmark = pytest.mark.anyio
DOCUMENT = Path("docs/operations.md")


def commands(heading):
    """Return the shell block below a heading of the document."""
    _, _, section = DOCUMENT.read_text().partition(f"## {heading}\n")
    return re.search(r"```bash\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)[1]


async def run(heading, **variables):
    """Run a documented block; return what it prints."""
    found = await asyncio.to_thread(
        subprocess.run, ["bash", "-euo", "pipefail", "-c", commands(heading)], text=True,
        capture_output=True, check=False, timeout=60, env=os.environ | variables)
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout


async def closed(tenant, events):
    """Return the gap report once the cost store has that many events, of all epochs."""
    gaps = await tenant.got("/v1/gaps", at="costs")
    return gaps if gaps["gapless"] and gaps["events"] == events else None


async def test_restored_snapshot_goes_on_with_books_that_close(tmp_path):
    backup = tmp_path / "tollgate.rdb"
    with RedisServer(tmp_path / "first") as first:
        async with System(tmp_path / "a", redis_url=first.url) as system:
            tenant = system.tenant()
            kept = (await tenant.ran("plain"))["id"]
            await tenant.books()
            await run("Back up Redis", REDIS_URL=first.url, BACKUP=str(backup))
            lost = (await tenant.ran("plain"))["id"]
            await tenant.books()
        os.kill(first.pid, signal.SIGKILL)

    (tmp_path / "second").mkdir()
    shutil.copy(backup, tmp_path / "second" / "dump.rdb")
    with RedisServer(tmp_path / "second", appendonly="no") as second:
        await run("Restore Redis", REDIS_URL=second.url)
        async with System(tmp_path / "b", redis_url=second.url) as system:
            tenant = system.tenant()
            assert (await tenant.task(kept))["status"] == "completed"
            assert (await tenant.ask("GET", f"/tasks/{lost}")).status_code == 404
            assert (await tenant.ran("plain"))["status"] == "completed"
            gaps = await until(partial(closed, tenant, 2))
            posted = (await tenant.summary())["posted_nano"]
            assert (await tenant.costs("agent"))["total_nano"] == posted

    first_epoch, second_epoch = (check["epoch"] for check in gaps["epochs"])
    assert int(second_epoch) > int(first_epoch)


async def test_restored_server_keeps_what_it_acknowledges(tmp_path):
    with RedisServer(tmp_path / "server", appendonly="no") as server:
        await run("Restore Redis", REDIS_URL=server.url)
        assert server.call("set", "mark", "1") == "OK"
        await until(lambda: "aof_rewrite_in_progress:0" in server.call("info", "persistence"))
        os.kill(server.pid, signal.SIGKILL)
    with RedisServer(tmp_path / "server") as server:
        assert server.call("get", "mark") == "1"


async def test_file_that_is_no_snapshot_fails_the_check(tmp_path):
    with RedisServer(tmp_path / "server") as server:
        server.call("set", "a", "b" * 10_000)
        text = commands("Back up Redis").replace(
            "redis-check-rdb", 'truncate -s 60 "$BACKUP"\nredis-check-rdb')
        found = await asyncio.to_thread(
            subprocess.run, ["bash", "-euo", "pipefail", "-c", text], capture_output=True,
            check=False, timeout=60,
            env=os.environ | {"REDIS_URL": server.url, "BACKUP": str(tmp_path / "cut.rdb")})

    assert found.returncode != 0
