"""What a step with one tool call takes of processors: the figures that sizes are computed from."""

import asyncio

import psutil

from tests.benchmarks.figures import Figure
from tests.benchmarks.rig import running

TASKS = 20
STEPS = 21
"""Of one task: all but the last ask for one tool call."""

QUIET_S = 2.0
"""Until costs have taken the last events."""


async def capacity(folder):
    """Return milliseconds of Redis (the embedded broker's share included) and of all functions."""
    async with running(folder) as rig:
        await _run(rig, 3)
        before = _processor_s()
        await _run(rig, TASKS)
        after = _processor_s()
    done = TASKS * STEPS / 1000
    return [Figure("Redis per step with a call", (after["redis"] - before["redis"]) / done,
                   "ms CPU", None),
            Figure("functions per step with a call",
                   (after["functions"] - before["functions"]) / done, "ms CPU", None)]


async def _run(rig, tasks):
    for _ in range(tasks):
        ran = await rig.run("steps", max_steps=25, token_budget=32768)
        assert ran["steps_used"] == STEPS, ran
    await asyncio.sleep(QUIET_S)


def _processor_s():
    found = {"redis": 0.0, "functions": 0.0}
    for child in psutil.Process().children(recursive=True):
        times = child.cpu_times()
        kind = "redis" if "redis" in child.name() else "functions"
        found[kind] += times.user + times.system
    return found
