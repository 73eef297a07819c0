"""Kills what keeps and carries money, at moments that a seed chooses, while tasks run."""

import asyncio
import os
import signal
from collections import Counter
from functools import partial

import httpx2

from shared.faults import FaultPoint as At
from tests.system import lives, until

PROMPTS = ("errand {hook}", "errand {hook}", "spend all {n}", "eight", "plain", "slow")
VICTIMS = ("costs", "ledger", "broker", "redis")
POINTS = {"costs": (At.COSTS_AFTER_STORE,),
          "ledger": (At.LEDGER_AFTER_SCRIPT, At.LEDGER_AFTER_PUBLISH)}
"""Where a death makes somebody say again what was heard already."""

CORRECTION_NANO = 1000
PAUSE_S = 0.15
"""At most this long after a model call something dies: within the step that follows, or the next.
"""

QUIET_S = 5.0
NUDGES = 4
"""Fewer than a task is allowed to get without progress."""


class Storm:
    """Tasks of several tenants, and what dies beneath them."""

    def __init__(self, system, broker, tenants, chance):
        self.system, self.tenants = system, tenants
        self._broker, self._chance = broker, chance
        self.tasks = {tenant: [] for tenant in tenants}
        self.struck = Counter()
        self._waves = 0

    async def blow(self, strikes):
        """Strike so often, every victim as often as the others, and sometimes two at once."""
        for _ in range(strikes):
            order = self._chance.sample(VICTIMS, len(VICTIMS))
            while order:
                await self._wave()
                size = min(len(order), self._chance.choice((1, 1, 2)))
                victims = [order.pop() for _ in range(size)]
                await asyncio.gather(*map(self._strike, victims))
                await self._corrected()

    async def _wave(self):
        """Submit tasks; return in the middle of them."""
        self._waves += 1
        before, fresh = self._called(), 0
        for tenant in self.tenants:
            for n in range(self._chance.randint(1, 3)):
                await self._submit(tenant, self._chance.choice(PROMPTS), n)
                fresh += 1
        wanted = before + self._chance.randint(1, fresh)
        await until(partial(self._is_amid, wanted), what="models are called")
        await asyncio.sleep(self._chance.uniform(0, PAUSE_S))

    async def _submit(self, tenant, prompt, n):
        said = prompt.format(hook=self.system.hook.url(tenant.name), n=f"{n}0")
        self.tasks[tenant].append(await tenant.submit(
            said, key=f"{self._waves}-{n}", metadata={"team": "blue"}))

    async def _is_amid(self, wanted):
        """Tell whether so many calls were made, or none will be: tasks without budget make none."""
        if self._called() >= wanted:
            return True
        last = [await tenant.task(self.tasks[tenant][-1]) for tenant in self.tenants]
        return all(task["status"] == "completed" for task in last)

    def _called(self):
        file = self.system.calls
        return len(file.read_text().splitlines()) if file.exists() else 0

    async def _strike(self, victim):
        self.struck[victim] += 1
        match victim:
            case "broker":
                await self._broker.crash("broker")
            case "redis":
                await self._redis_dies()
            case _:
                await self._dies_twice(victim)

    async def _dies_twice(self, function):
        """Kill it where it happens to be; its successor dies between a write and its answer."""
        killed = await self.system.armed(function, self._chance.choice(POINTS[function]))
        await self._submit(self.tenants[0], "plain", function)
        await until(killed.exists, what=f"{function} dies again")
        self.system.disarm(function)

    async def _redis_dies(self):
        pid = self.system.runtime._embedded.pid
        os.kill(pid, signal.SIGKILL)
        await until(lambda: not lives(pid) and self.system.runtime._embedded.pid != pid,
                    what="Redis runs again")
        for tenant in self.tenants:
            await self.system.lapse_when_back(tenant)

    async def _corrected(self):
        """Correct the cost of a call in the middle of it all; asked until it is answered."""
        tenant = self._chance.choice(self.tenants)
        called = [call for task in self.tasks[tenant] for call in self.system.model_calls(task)]
        if not called:
            return
        body = {"key": f"storm-{self._waves}", "reason": "a credit note came",
                "delta_nano": self._chance.randint(1, CORRECTION_NANO)}
        path = f"/v1/reservations/{self._chance.choice(called)}/adjustments"
        await until(partial(_answered, tenant, path, body), what="the correction is taken")

    async def calm(self):
        """Return every task once it is final; what is silent gets its watchdog."""
        for tenant in self.tenants:
            for task in self.tasks[tenant]:
                await self._ended(tenant, task)

    async def _ended(self, tenant, task):
        for _ in range(NUDGES):
            try:
                return await tenant.wait(task, timeout_s=QUIET_S)
            except AssertionError:
                await self.system.lapse(tenant)
                await self.system.overdue(tenant)
                await self.system.rounds()
        return await tenant.wait(task)


async def _answered(tenant, path, body):
    try:
        answer = await tenant.ask("POST", path, at="ledger", json=body)
    except httpx2.TransportError:
        return False
    # An open call cannot be corrected: then this was no correction.
    return answer.status_code in (200, 409)
