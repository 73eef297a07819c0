"""Runs the whole of Tollgate as real processes, with time compressed, and looks at it from outside.

Tests share one running system and stay apart by tenant: `tenant()` hands out a fresh one.
"""

import asyncio
import hashlib
import json
import os
import signal
import time
from contextlib import AsyncExitStack
from pathlib import Path

import httpx2
from redis.exceptions import RedisError

from eventing.local.disturbance import Disturbance
from eventing.local.environment import PASSED_ON
from eventing.local.options import RuntimeOptions, Scale
from eventing.local.runtime import Runtime
from shared.http_client import plain_client
from shared.store import connect
from shared.tasks import keys
from tests.chaos import deployment
from tests.chaos.receiver import Receiver
from tests.chaos.tenant import Tenant

SCRIPT = Path(__file__).parent / "chaos" / "script.yaml"
GRANT_KEY = "a key of thirty-two characters or more"
TENANTS = 120
WAIT_S = 60.0
"""The bound of every wait: far beyond what a loaded machine needs."""

TIMERS_OFF = 1e4
"""Timers fire after this many times their interval: tests call rounds themselves."""


async def until(holds, *, timeout_s=WAIT_S, what=None):
    """Return the first true value of `holds()`, which may be a coroutine function."""
    ends = time.monotonic() + timeout_s
    while True:
        value = holds()
        if asyncio.iscoroutine(value):
            value = await value
        if value:
            return value
        assert time.monotonic() < ends, f"it did not come true: {what or holds}"
        await asyncio.sleep(0.02)


class System:
    """The running system; an async context manager."""

    def __init__(self, folder, *, window_s=120.0, backoff=0.02, script=SCRIPT, env=None,
                 redis_url=None):
        self.folder = folder
        self.calls = folder / "calls"
        self._tenants = iter(range(TENANTS))
        self._faults = 0
        self._stack = AsyncExitStack()
        environment = {"TOLLGATE_SCRIPT": str(script), "TOLLGATE_CALLS": str(self.calls),
                       "NOTIFY_ALLOW_PRIVATE": "true", **(env or {})}
        self._options = RuntimeOptions(
            data_dir=folder / "data", env=environment, stop_s=4.0, redis_url=redis_url,
            scale=Scale(window_s=window_s, timers=TIMERS_OFF, backoff=backoff),
            host_env={n: v for n, v in os.environ.items() if n in PASSED_ON})

    async def __aenter__(self):
        self._write_secrets()
        manifests = await asyncio.to_thread(self._write_manifests)
        self.http = await self._stack.enter_async_context(plain_client(90.0))
        self.hook = self._stack.enter_context(Receiver())
        self.runtime = await self._stack.enter_async_context(Runtime(manifests, self._options))
        self.addresses = self.runtime.addresses
        self.redis = connect(self.addresses["redis"])
        self._stack.push_async_callback(self.redis.connection_pool.aclose)
        return self

    async def __aexit__(self, *_):
        await self._stack.aclose()

    def tenant(self, *rights):
        """Return a tenant that no test has used; its key has the rights, by default all."""
        return Tenant(self, f"t{next(self._tenants)}", rights or ("admin",))

    def _write_manifests(self):
        return deployment.write(self.folder / "manifests")

    def _write_secrets(self):
        data = self.folder / "data"
        data.mkdir(parents=True)
        known = [{"key_sha256": hashlib.sha256(_key(f"t{n}", right).encode()).hexdigest(),
                  "tenant": f"t{n}", "rights": [right], "name": ""}
                 for n in range(TENANTS) for right in (
                     "admin", "tasks", "events", "costs", "platform")]
        (data / "secrets.json").write_text(json.dumps({
            "tollgate-grant-key": {"key": GRANT_KEY},
            "tollgate-api-keys": {"api-keys.json": json.dumps(known)}}))

    # --- What runs ---

    def service(self, function):
        """Return the runtime's record of a function."""
        (found,) = [s for (_, name), s in self.runtime.parts.services.items() if name == function]
        return found

    def pids(self, function):
        """Return the process ids of a function that are alive now."""
        return [pid for pid in self.service(function).status()["pids"] if lives(pid)]

    def records(self, kind, after=0):
        """Return the runtime's journal of one kind."""
        return [r for r in self.runtime.parts.journal.after(after) if r["kind"] == kind]

    def mark(self):
        """Return the number of the journal's last record."""
        records = self.runtime.parts.journal.after(0)
        return records[-1]["n"] if records else 0

    async def kill(self, function):
        """Kill every process of a function with SIGKILL; return when they are gone."""
        victims = set(self.pids(function))
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        # A delivery that waits may start another process meanwhile.
        await until(lambda: victims.isdisjoint(self.service(function).status()["pids"]))

    async def at_zero(self, function):
        """Return when a function has no process."""
        await until(lambda: not self.service(function).status()["pids"])

    def restarted_with(self, function, **variables):
        """Set variables that the next process of a function gets."""
        self.service(function)._program.env.update(variables)

    def without(self, function, *names):
        """Take variables away from the next process of a function."""
        for name in names:
            self.service(function)._program.env.pop(name, None)

    def forgive(self, function):
        """Let a function that failed to start be started again at once."""
        service = self.service(function)
        service._failures, service._closed_until_s = 0, 0.0

    def disturb(self, **what):
        """Let the broker lose, double or shuffle from now on; without arguments, stop that."""
        fresh = Disturbance(**what)
        for name in ("drop", "twice", "shuffle_s", "dropped", "_seen"):
            setattr(self.runtime.disturbance, name, getattr(fresh, name))
        return self.runtime.disturbance

    # --- Faults ---

    async def armed(self, function, point, nth=1):
        """Restart a function so that it dies at a point; return the file that tells it did."""
        self._faults += 1
        folder = self.folder / "faults" / str(self._faults)
        folder.mkdir(parents=True)
        self.restarted_with(function, TOLLGATE_FAULT=f"{function}:{point}:{nth}",
                            TOLLGATE_FAULT_DIR=str(folder))
        await self.kill(function)
        return folder / "killed"

    def disarm(self, *functions):
        """Let the next processes of the functions live."""
        for function in functions:
            self.without(function, "TOLLGATE_FAULT", "TOLLGATE_FAULT_DIR")

    async def lapse(self, tenant):
        """End the leases of all claims of a tenant, as time would; their holder must be dead."""
        for pattern in (f"tk:{{{tenant.name}}}:c:*", f"tl:{{{tenant.name}}}:*"):
            async for key in self.redis.scan_iter(pattern, count=1000):
                await self.redis.hset(key, "until", "0")

    async def lapse_holds(self, tenant):
        """End the leases of all open holds of a tenant, as time would; nobody must wait for them.
        """
        leases = f"lg:{{{tenant.name}}}:exp"
        for reservation in await self.redis.zrange(leases, 0, -1):
            await self.redis.hset(f"lg:{{{tenant.name}}}:r:{reservation}", "expires", 0)
            await self.redis.zadd(leases, {reservation: 0}, xx=True)  # it may just have ended

    async def lapse_when_back(self, tenant):
        """Wait for Redis, then end the leases: a holder whose release was lost is gone."""
        await until(self._answers, what="Redis is back")
        await self.lapse(tenant)

    async def _answers(self):
        try:
            return await self.redis.ping()
        except RedisError:
            return False

    async def overdue(self, tenant):
        """Make all tasks of a tenant overdue, as silence would."""
        due = keys.due(tenant.name)
        for task in await self.redis.zrange(due, 0, -1):
            await self.redis.zadd(due, {task: 0}, xx=True)

    async def rounds(self):
        """Let the watchdog go through what is overdue; return its verdicts, none if it died."""
        try:
            answer = await self.http.post(self.addresses["watchdog"] + "/rounds")
        except httpx2.TransportError:
            return {}
        return answer.json() if answer.is_success else {}

    async def ping(self, function):
        """Post a timer's event to a function; return the status, or `None` if it died of it."""
        headers = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/timer",
                   "ce-type": "dev.knative.sources.ping"}
        try:
            answer = await self.http.post(self.addresses[function], headers=headers)
        except httpx2.TransportError:
            return None
        return answer.status_code

    # --- What was written down ---

    def model_calls(self, task):
        """Return the reservation of each model call of a task, in order."""
        lines = self.calls.read_text().splitlines() if self.calls.exists() else []
        return [line.split()[1] for line in lines if line.split()[0] == task]

    def lines(self, function="*"):
        """Return the JSON lines that functions logged, spans among them."""
        found = []
        for file in sorted((self.folder / "data" / "logs").glob(f"{function}.log")):
            texts = file.read_text(errors="replace").splitlines()
            found += [json.loads(t) for t in texts if t.startswith("{") and t.endswith("}")]
        return found

    def unexpected(self):
        """Return what functions logged that no function should: bugs and their tracebacks."""
        bugs = [f"{line['function']}: {line.get('exception', '')[-500:]}" for line in self.lines()
                if line.get("message", "").startswith("unexpected failure")
                and line["function"] != "broken"]
        logs = (self.folder / "data" / "logs").glob("*.log")
        texts = {log.name: log.read_text(errors="replace") for log in logs}
        return bugs + [f"{name}: RuntimeWarning" for name, text in texts.items()
                       if "RuntimeWarning" in text]

    def spans(self, task):
        """Return the spans that name a task."""
        return [line for line in self.lines() if line.get("kind") == "span"
                and line["attributes"].get("agent.task_id") == task]


def _key(tenant, right):
    return f"key-of-{tenant}-for-{right}"


def lives(pid):
    """Tell whether a process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
