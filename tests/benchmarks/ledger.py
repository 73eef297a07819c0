"""The ledger: latency of a reserve, pairs under load, time of its script in Redis."""

import asyncio
import json
import sys
import time
from statistics import median
from uuid import uuid4

from shared.store import connect
from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.raw import Wire, call
from tests.benchmarks.rig import running

RESERVES = 2000
LOAD_CLIENTS, LOAD_S = 16, 10
INCREMENTS = 5000


async def reserve(folder):
    """Return p50 and p99 of a reserve over HTTP, warm, by one client."""
    async with running(folder) as rig:
        wire = await Wire.open(rig.addresses["ledger"], rig.grant())
        for _ in range(200):
            await wire.post("/v1/reservations", call(str(uuid4())))
        samples = []
        for _ in range(RESERVES):
            body = call(str(uuid4()))
            began = time.perf_counter()
            status = await wire.post("/v1/reservations", body)
            samples.append((time.perf_counter() - began) * 1000)
            assert status == 201, status
        wire.close()
    return [Figure("ledger reserve p50, 1 client", median(samples), "ms", 2.5),
            Figure("ledger reserve p99, 1 client", percentile(samples, 99), "ms", 8)]


async def load(folder):
    """Return reserve+settle pairs per second, the outbox draining meanwhile."""
    async with running(folder) as rig:
        generator = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.benchmarks.raw", rig.addresses["ledger"],
            str(LOAD_CLIENTS), str(LOAD_S), stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE)
        told, _ = await generator.communicate(rig.grant().encode())
        counts = json.loads(told)
        assert counts["failed"] == 0, counts
        rate = counts["pairs"] / counts["seconds"]
    return [Figure("reserve+settle pairs, 16 clients", rate, "per s", 500, at_least=True)]


async def script(folder):
    """Return the time of the reserve script in Redis at 4 accounts, and beside `INCRBY`."""
    async with running(folder) as rig:
        redis = connect(rig.addresses["redis"])
        wire = await Wire.open(rig.addresses["ledger"], rig.grant())
        for _ in range(200):
            await wire.post("/v1/reservations", call(str(uuid4())))
        await redis.config_resetstat()
        for _ in range(RESERVES):
            await wire.post("/v1/reservations", call(str(uuid4())))
        for _ in range(INCREMENTS):
            await redis.incrby("bench:increments", 1)
        stats = await redis.info("commandstats")
        version = (await redis.info("server"))["redis_version"]
        wire.close()
        await redis.aclose()
    each = stats["cmdstat_evalsha"]["usec_per_call"]
    ratio = each / stats["cmdstat_incrby"]["usec_per_call"]
    name = f"reserve script, Redis {version}"
    return [Figure(f"{name}", each, "µs", 80), Figure(f"{name} ÷ INCRBY", ratio, "ratio", 200)]
