"""One process of one release of the ledger, over HTTP, in the words of this one's own parts."""

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass

import httpx2
import yaml

from eventing.local.options import ROOT
from shared.auth import Grant, TaskLimits, sign
from shared.errors import Busy, NotFound, Permanent
from shared.metering import Denied
from tests.chaos.receiver import Receiver
from tests.integration.ledger.conftest import KEY
from tests.system import until

CATALOGUE = ROOT / "knative" / "base" / "catalogue" / "configmap.yaml"
REFUSED = {402: Denied, 404: NotFound, 409: Busy, 422: Permanent}


class Broker(Receiver):
    """Takes every event."""

    @property
    def events(self):
        """Return (tenant, epoch, number, id) of each, as it came."""
        return [tuple(headers[f"ce-{name}"] for name in (
            "tenantid", "ledgerepoch", "ledgerseq", "id")) for headers in [*self.headers]]


@dataclass(frozen=True)
class Place:
    """What all processes share."""

    redis_url: str
    broker_url: str
    folder: object
    tenants: tuple

    def variables(self):
        """Write the files that a ledger reads; return its environment."""
        keys = [{"key_sha256": hashlib.sha256(f"key-of-{tenant}".encode()).hexdigest(),
                 "tenant": tenant, "rights": ["admin", "platform"], "name": tenant}
                for tenant in self.tenants]
        earlier = [{**key, "rights": ["admin"]} for key in keys]
        found = yaml.safe_load(CATALOGUE.read_text())["data"]["catalogue.json"]
        for name, text in (("keys", json.dumps(keys)), ("earlier-keys", json.dumps(earlier)),
                           ("catalogue", found)):
            (self.folder / f"{name}.json").write_text(text)
        return {"PATH": os.environ["PATH"], "REDIS_URL": self.redis_url,
                "BROKER_URL": self.broker_url, "TOLLGATE_GRANT_KEY": KEY.get_secret_value(),
                "TOLLGATE_CATALOGUE": str(self.folder / "catalogue.json"), "LOG_LEVEL": "WARNING"}


class Process:
    """A ledger of the release below a root; its socket outlives it, so that callers wait."""

    def __init__(self, name, root, place, *, keys="keys", **variables):
        self.name, self._root, self._log = name, root, place.folder / f"{name}.log"
        self._env = {**place.variables(), "PYTHONPATH": str(root), **variables,
                     "TOLLGATE_API_KEYS": str(place.folder / f"{keys}.json")}
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._running, self._looked = None, 0

    def start(self):
        """Start it; its first request waits until it serves."""
        fd = self._listener.fileno()
        with self._log.open("a") as log:
            self._running = subprocess.Popen(
                [sys.executable, "-m", "eventing.local.serve", "--fd", str(fd), "--source",
                 str(self._root / "functions" / "ledger" / "main.py")],
                cwd=self._root, env=self._env, pass_fds=(fd,), stderr=log)

    def kill(self):
        """End it with SIGKILL, if it runs."""
        if self._running is not None:
            self._running.send_signal(signal.SIGKILL)
            self._running.wait()
            self._running = None

    def close(self):
        """End it for good."""
        self.kill()
        self._listener.close()

    def bugs(self):
        """Return what it logged since the last look that no ledger should."""
        lines = self._log.read_text().splitlines()[self._looked:] if self._log.exists() else []
        self._looked += len(lines)
        return [line for line in lines if "unexpected failure" in line or not line.startswith("{")]


class Remote:
    """A tenant's ledger in a process; takes what the parts of this release take."""

    def __init__(self, process, tenant, http):
        self.process, self._tenant, self._http = process, tenant, http
        self._key = {"authorization": f"Bearer key-of-{tenant}"}
        of_any = TaskLimits(task="root", usd=0, tok=0)
        self._grant = granted(Grant(tenant=tenant, agent="a", session="s", root="root",
                                    limits=of_any, exp=int(time.time()) + 3600))
        self.reservations = self.endings = self.budgets = self.outbox = self.store = self

    async def asked(self, method, path, body=None, **headers):
        """Return the answer's JSON.

        Raises:
            Denied, NotFound, Busy, Permanent: as the ledger says.
        """
        answer = await self._http.request(method, self.process.url + path, json=body,
                                          headers=headers)
        if (refused := REFUSED.get(answer.status_code)) is not None:
            problem = answer.json()
            raise refused(problem.pop("detail"), **problem)
        assert answer.is_success, f"{self.process.name}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def keyed(self, method, path, body=None):
        """Ask with the tenant's API key."""
        return await self.asked(method, path, body, **self._key)

    async def reserve(self, grant, body):
        return await self.asked("POST", "/v1/reservations", said(body), **granted(grant))

    async def reserve_each(self, grant, bodies):
        found = await self.asked("POST", "/v1/reservations:batch", {
            "reservations": [said(body) for body in bodies]}, **granted(grant))
        return found["reservations"]

    async def post(self, grant, body):
        return await self.asked("POST", "/v1/postings", said(body), **granted(grant))

    async def dispatch(self, _, name, body):
        return await self._of(name, "dispatch", said(body))

    async def extend(self, _, name, body):
        return await self._of(name, "extend", said(body))

    async def settle(self, _, name, body):
        return await self._of(name, "settle", said(body))

    async def end(self, _, name, how, holder):
        return await self._of(name, how, {"holder": holder})

    async def adjust(self, _, name, body):
        return await self.keyed("POST", f"/v1/reservations/{name}/adjustments", said(body))

    async def read(self, name):
        return await self.keyed("GET", f"/v1/reservations/{name}")

    async def put(self, _, scope, owner, body):
        return await self.keyed("PUT", f"/v1/budgets/{scope}/{owner}", said(body))

    async def delete(self, _, scope, owner, body):
        return await self.keyed("DELETE", f"/v1/budgets/{scope}/{owner}?unit={body.unit}")

    async def reload(self, tenant):
        """Let it read the tenant's limits again: what is about a budget always does."""
        return await self.keyed("GET", f"/v1/budgets/tenant/{tenant}/usage")

    async def sweep(self):
        return await self.asked("POST", "/sweep", {})

    async def drain(self, _):
        return await self.sweep()

    async def events(self):
        """Return all events by number, as it serves them; what is null is not said."""
        found, first = [], 1
        while page := (await self.keyed("GET", f"/v1/events?from={first}"))["events"]:
            found += page
            first = int(page[-1]["ledgerseq"]) + 1
        return without_null(found)

    async def _of(self, name, how, body):
        return await self.asked("POST", f"/v1/reservations/{name}/{how}", body, **self._grant)


def granted(grant):
    """Return the header of a grant."""
    return {"tollgate-grant": sign(grant, KEY)}


def said(body):
    """Return the JSON of a body: only what was given, for an earlier release knows no more."""
    return body.model_dump(mode="json", exclude_unset=True)


def without_null(value):
    """Return JSON without its nulls: a later release says more that is absent."""
    if isinstance(value, dict):
        return {name: without_null(each) for name, each in value.items() if each is not None}
    return [without_null(each) for each in value] if isinstance(value, list) else value


async def serving(processes):
    """Return once all of them answer."""
    async with httpx2.AsyncClient(timeout=60, trust_env=False) as http:
        for process in processes:
            async def answers(url=process.url):
                return (await http.get(f"{url}/health")).is_success
            await until(answers, what=f"{process.name} answers")
