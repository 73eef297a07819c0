"""Starts the system for a measurement, and speaks to it."""

import asyncio
import json
import os
import re
import shutil
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
from pydantic import SecretStr

from eventing.local.options import ROOT, RuntimeOptions, Scale
from eventing.local.runtime import Runtime
from shared.auth import Grant, TaskLimits, sign
from shared.http_client import plain_client

HERE = Path(__file__).parent
KEEP_UP_S = 600.0


@dataclass
class Rig:
    """A running system with a client that has the local key."""

    data: Path
    addresses: dict[str, str]
    http: httpx2.AsyncClient

    @property
    def key(self):
        return (self.data / "api-key").read_text().strip()

    @property
    def headers(self):
        return {"authorization": f"Bearer {self.key}"}

    def grant(self, task="bench", tenant="local", usd=10**15, tok=10**12):
        """Return a signed grant of a task with room for a benchmark."""
        secrets = json.loads((self.data / "secrets.json").read_text())
        return sign(Grant(tenant=tenant, agent="researcher", session="bench", root=task,
                          limits=TaskLimits(task=task, usd=usd, tok=tok), exp=2**40),
                    SecretStr(secrets["tollgate-grant-key"]["key"]))

    async def run(self, prompt, **fields):
        """Run one task to its end and return its result."""
        answer = await self.http.post(
            f"{self.addresses['gateway']}/run", headers=self.headers, timeout=120,
            json={"agent": "researcher", "prompt": prompt, **fields})
        answer.raise_for_status()
        return answer.json()

    async def get(self, service, path):
        answer = await self.http.get(self.addresses[service] + path, headers=self.headers)
        answer.raise_for_status()
        return answer.json()

    async def status(self):
        return await self.get("dashboard", "/status")


def manifests_with(folder: Path, *extra: Path) -> Path:
    """Return a copy of the manifests with more files beside them."""
    copied = folder / "manifests"
    shutil.copytree(ROOT / "knative" / "base", copied)
    for path in extra:
        shutil.copy(path, copied / path.name)
    return copied


@asynccontextmanager
async def running(folder: Path, *, window_s=KEEP_UP_S, manifests=None, **env):
    """Yield a running system whose functions stay up for `window_s` without work."""
    options = RuntimeOptions(
        data_dir=folder / "data", scale=Scale(window_s=window_s),
        env={"TOLLGATE_SCRIPT": str(HERE / "script.yaml"), "LOG_LEVEL": "WARNING", **env})
    async with Runtime(manifests or ROOT / "knative" / "base", options) as runtime, \
            plain_client(120) as http:
        yield Rig(folder / "data", dict(runtime.addresses), http)


async def until(holds, timeout_s=60.0):
    """Wait until the coroutine function answers true."""
    async with asyncio.timeout(timeout_s):
        while not await holds():
            await asyncio.sleep(0.05)


async def generated(url, work, headers, **options):
    """Have the load generator work, a process of its own; return what came of it.

    Raises:
        AssertionError: an answer was no success: there is nothing to measure then.
    """
    given = [f"--{name}={value}" for name, value in options.items()]
    generator = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.benchmarks.raw", url, work, *given, cwd=ROOT,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    told, _ = await generator.communicate(json.dumps(headers).encode())
    found = json.loads(told)
    assert found["failed"] == 0, found
    return found


def per_s(found):
    """Return how much a load generator did per second."""
    return found["done"] / found["seconds"]


def processor_s():
    """Return the seconds of processor time that each process of the rig took so far, by name."""
    found = {}
    for pid in (os.getpid(), *descendants(os.getpid())):
        try:
            command = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
            times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        except OSError:
            continue  # it has ended since it was found
        parts = re.search(r"functions/(\w+)/", command)
        name = parts[1] if parts else Path(command.split(" ")[0]).name
        found[name] = found.get(name, 0.0) + sum(map(int, times)) / os.sysconf("SC_CLK_TCK")
    return found


def descendants(pid):
    """Return the ids of the processes that a process started, and that these started."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if parent == pid:
                found += [int(entry.name), *descendants(int(entry.name))]
    return found


def pss_mib(pids):
    """Return the sum of the proportional set sizes of some processes."""
    lines = [line for pid in pids
             for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
             if line.startswith("Pss:")]
    assert len(lines) == len(pids), f"no Pss of some of {pids} (running as {os.getuid()})"
    return sum(int(line.split()[1]) for line in lines) / 1024
