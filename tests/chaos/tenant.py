"""One tenant of the running system, as its applications and its FinOps see it."""

import asyncio
import time

import httpx2

WAIT_S = 60.0
FINAL = ("completed", "failed", "cancelled")


class Tenant:
    """Asks with one tenant's keys."""

    def __init__(self, system, name, rights):
        self.system, self.name, self._right = system, name, rights[0]

    @property
    def headers(self):
        """Return the credential."""
        return {"authorization": f"Bearer key-of-{self.name}-for-{self._right}"}

    async def ask(self, method, path, *, at="gateway", headers=None, **kwargs):
        """Return the answer of a function, whatever its status."""
        return await self.system.http.request(
            method, self.system.addresses[at] + path,
            headers={**self.headers, **(headers or {})}, **kwargs)

    async def got(self, path, *, at="gateway", **kwargs):
        """Return the JSON of a GET; a function that was just killed is asked again."""
        ends = time.monotonic() + WAIT_S
        while True:
            try:
                answer = await self.ask("GET", path, at=at, **kwargs)
            except httpx2.TransportError:
                answer = None
            if answer is not None and answer.status_code == 200:
                return answer.json()
            said = answer.text[:300] if answer is not None else "no answer"
            assert time.monotonic() < ends, f"GET {path} of {at}: {said}"
            await asyncio.sleep(0.05)

    async def submit(self, prompt, *, agent="prober", at="gateway", key=None, **fields):
        """Submit a task until the door is up again; return its id."""
        body = {"agent": agent, "prompt": prompt, "token_budget": 32768, **fields}
        headers = {"idempotency-key": key} if key else {}
        ends = time.monotonic() + WAIT_S
        while True:
            try:
                answer = await self.ask("POST", "/tasks", at=at, json=body, headers=headers)
            except httpx2.TransportError:
                answer = None
            if answer is not None and answer.status_code < 500:
                assert answer.status_code == 202, answer.text
                return answer.json()["id"]
            assert key, f"not accepted, and not repeatable: {answer and answer.text}"
            assert time.monotonic() < ends, "the door stays shut"
            await asyncio.sleep(0.05)

    async def task(self, task):
        """Return a task with its result so far."""
        return await self.got(f"/tasks/{task}")

    async def steps(self, task):
        """Return the steps of a task."""
        return (await self.got(f"/tasks/{task}/steps"))["steps"]

    async def wait(self, task, *, timeout_s=WAIT_S):
        """Return the task once it is final."""
        ends = time.monotonic() + timeout_s
        while True:
            found = await self.task(task)
            if found["status"] in FINAL:
                return found
            assert time.monotonic() < ends, f"not final after {timeout_s} s: {found}"
            await asyncio.sleep(0.05)

    async def ran(self, prompt, **fields):
        """Submit a task and return it once it is final."""
        return await self.wait(await self.submit(prompt, **fields))

    async def summary(self):
        """Return what the ledger has of this tenant."""
        return await self.got("/v1/summary", at="ledger")

    async def books(self):
        """Return (ledger summary, gap report) once the cost store has every event."""
        ends = time.monotonic() + WAIT_S
        while True:
            summary = await self.summary()
            gaps = await self.got("/v1/gaps", at="costs")
            if (gaps["gapless"] and gaps["events"] == summary["events"]
                    and not summary["held_nano"] and not summary["pending"]):
                return summary, gaps
            assert time.monotonic() < ends, f"the books do not close: {summary} {gaps}"
            await asyncio.sleep(0.05)

    async def costs(self, group_by):
        """Return the sums by a dimension."""
        return await self.got("/v1/costs", at="costs", params={"group_by": group_by})

    async def invocations(self, task):
        """Return the cost store's timeline of a task."""
        return await self.got(f"/v1/costs/tasks/{task}", at="costs")

    async def own_letters(self):
        """Return the dead letters whose tenant is known to be this one."""
        return [one for one in await self.letters() if one["tenant"] == self.name]

    async def letters(self):
        """Return the tenant's dead letters."""
        return (await self.got("/v1/dead-letters", at="deadletters"))["dead_letters"]

    async def resolved_letters(self):
        """Return those of them whose waiter has been answered."""
        return [one for one in await self.letters() if one["status"] == "resolved"]
