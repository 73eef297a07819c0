"""What more stored tasks cost: time of a step, and bytes in Redis of a finished task."""

from statistics import median
from uuid import uuid4

from shared.clock import now_s
from shared.store import connect
from shared.tasks.contract import AgentTask, Status, TaskRequest
from shared.tasks.state import TaskState
from shared.tasks.store import Commit, Tasks
from tests.benchmarks.figures import Figure
from tests.benchmarks.rig import running
from tests.benchmarks.steps import _gaps

ROUNDS = 6
STORED = 10_000


async def growth(folder):
    """Return the ratio of a step's cost at 10 000 stored tasks to that at 10, and the bytes."""
    async with running(folder) as rig:
        redis = connect(rig.addresses["redis"])
        try:
            for _ in range(10):
                await rig.run("one")
            await _gaps(rig)
            few = median([g for _ in range(ROUNDS) for g in await _gaps(rig)])
            size = await _bytes_per_task(rig, redis)
            invocation = await _bytes_per_invocation(redis)
            await _store(redis, STORED)
            await _gaps(rig)
            many = median([g for _ in range(ROUNDS) for g in await _gaps(rig)])
        finally:
            await redis.aclose()
    return [Figure("step at 10 000 stored tasks ÷ at 10", many / few, "ratio", 1.2),
            Figure("Redis per finished task", size, "KiB", 20),
            Figure("Redis per finished invocation (ledger)", invocation, "KiB", 1.5)]


async def _bytes_per_task(rig, redis):
    result = await rig.run("steps", max_steps=25, token_budget=32768)
    task, size = result["task_id"], 0
    async for key in redis.scan_iter(match="tk:*", count=1000):
        if task in key:
            size += await redis.memory_usage(key, samples=0)
    return size / 1024


async def _bytes_per_invocation(redis):
    size = rows = 0
    async for key in redis.scan_iter(match="lg:{local}:*", count=1000):
        size += await redis.memory_usage(key, samples=0)
        rows += key.startswith("lg:{local}:r:")
    return size / rows / 1024


async def _store(redis, count):
    """Finish many tasks in Redis by the store's own scripts."""
    tasks, now = Tasks(redis), now_s()
    for n in range(count):
        task = AgentTask.accept(TaskRequest(agent="researcher", prompt=f"stored {n}"),
                                task_id=str(uuid4()))
        state = TaskState.new(task, tenant="local", grant="", root=task.id, created_at=now)
        await tasks.submit(state, ("", ""), now)
        seen = await tasks.look("local", task.id)
        ended = seen.state.but(output="done", step=1).ended(Status.COMPLETED, now)
        await tasks.commit(Commit(before=seen, state=ended, due_at=now))
        await tasks.published(ended, [], None)
