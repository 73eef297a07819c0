"""Starts the system for a measurement, and speaks to it."""

import asyncio
import json
import shutil
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
