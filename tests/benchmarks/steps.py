"""The system's own time per step: everything but the model and the tool, which take 0 ms."""

from itertools import pairwise
from statistics import median

from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.rig import running

TASKS = 15
STORED = 10_000


async def overhead(folder):
    """Return p50 and p99 of one step with one tool, sequential, warm, costs awake."""
    async with running(folder) as rig:
        for _ in range(2):
            await rig.run("steps", max_steps=25, token_budget=32768)
        samples = [gap for _ in range(TASKS) for gap in await _gaps(rig)]
    return [Figure("step overhead p50", median(samples), "ms", 30),
            Figure("step overhead p99", percentile(samples, 99), "ms", 120)]


async def _gaps(rig):
    """Return the milliseconds from each step's model call to the next one's."""
    result = await rig.run("steps", max_steps=25, token_budget=32768)
    assert result["status"] == "completed", result
    steps = (await rig.get("gateway", f"/tasks/{result['task_id']}/steps"))["steps"]
    starts = [step["started_at"] for step in steps]
    return [(later - earlier) * 1000 for earlier, later in pairwise(starts)]
