"""Tasks that arrive all the time, and what must be true of all of them in the end."""

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from itertools import count

ANSWER = "6 and 7: told 204"
STEPS, CALLS = 3, 3
EVERY_S = 0.5
LATE_S = 240.0
"""A watchdog's round a minute, a step's silence, and functions that start anew."""


class Stream:
    """Submits errands at an even pace; a door that is shut is asked again with the same key."""

    def __init__(self, system, tenant):
        self._system, self._tenant = system, tenant
        self.tasks, self._numbers = [], count()

    @asynccontextmanager
    async def flowing(self):
        """Submit tasks for as long as the block lasts."""
        enough = asyncio.Event()
        flow = asyncio.create_task(self._flow(enough))
        try:
            yield self
        finally:
            enough.set()  # what was submitted is accepted, and counts
            await flow

    async def submit(self, number):
        """Submit tasks at once; return their ids."""
        return await asyncio.gather(*(self._one() for _ in range(number)))

    async def _flow(self, enough):
        async with asyncio.TaskGroup() as group:
            while not enough.is_set():
                group.create_task(self._one())
                await asyncio.sleep(EVERY_S)

    async def _one(self):
        prompt = f"errand {self._system.hook.url(self._tenant.name)}"
        key = f"{self._tenant.name}-{next(self._numbers)}"
        task = await self._tenant.submit(prompt, agent="researcher", key=key)
        self.tasks.append(task)
        return task

    async def assert_each_completed_once(self):
        """Wait for all tasks; check answers, side effects and money."""
        ended = [await self._tenant.wait(task, timeout_s=LATE_S) for task in self.tasks]
        summary, _ = await self._tenant.books()
        told = Counter(body["task"] for path, _, body in self._system.hook.posts
                       if path == f"/{self._tenant.name}")
        keys = {key for path, key, _ in self._system.hook.posts
                if path == f"/{self._tenant.name}"}
        by_agent = await self._tenant.costs("agent")

        outcomes = Counter((one["status"], one["result"]["output"]) for one in ended)
        assert outcomes == {("completed", ANSWER): len(self.tasks)}
        assert {one["steps_used"] for one in ended} == {STEPS}
        assert set(told) == set(self.tasks)
        assert len(keys) == len(self.tasks), "one idempotency key per task"
        assert summary["posted_nano"] == by_agent["total_nano"]
        assert summary["posted_nano"] == sum(_nano(one["cost_usd"]) for one in ended)
        assert await self._tenant.own_letters() == []


def _nano(usd):
    whole, _, part = usd.partition(".")
    return int(whole) * 10**9 + int(part.ljust(9, "0"))
