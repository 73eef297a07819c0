"""The cost store: events taken in per second, and questions beside a million stored events."""

import asyncio
import json
import subprocess
import sys
import time
from urllib.parse import urlsplit

import psutil

from eventing.http import encode_binary
from eventing.local.embedded_redis import start
from functions.costs.pages.visit import FIGURES
from functions.costs.questions.question import ask
from functions.costs.questions.report import answer, grouped
from functions.costs.store.store import CostStore
from functions.costs.store.units import unit_costs
from shared.store import connect
from tests.benchmarks.door import served
from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.spending import EVENTS, OTHERS, event, seed

TAKEN = 10_000
SENDERS = 32
"""As many as the Service lets in at once."""

ROUNDS = 8
ASKED = 40
WHOLE = {"from": "2026-10-01", "to": "2026-10-31"}
QUESTIONS = (
    {"group_by": "agent"}, {"group_by": "agent,day", **WHOLE}, {"group_by": "model,week"},
    {"group_by": "tool,outcome", **WHOLE}, {"group_by": "day", "agent": "agent-3", **WHOLE},
    {"group_by": "hour", "from": "2026-10-05", "to": "2026-10-12"},
    {"group_by": "env,revision,provider", "from": "2026-10-03T05:00:00Z", "to": "2026-10-20"},
    {"group_by": "task", "session": "s-77"}, {"group_by": "day", "tz": "Europe/Berlin", **WHOLE},
    {"group_by": "month", "measures": "cache_saved_nano,failures,retried_nano,cost_nano"},
    {"group_by": "day,agent", "measures": FIGURES, **WHOLE},
    {"group_by": "day,agent", "measures": FIGURES, "tz": "Europe/Berlin", **WHOLE},
    {"group_by": "hour,agent", "measures": FIGURES, "from": "2026-10-05", "to": "2026-10-07"},
)
UNITS = ({}, WHOLE, {"agent": "agent-3", **WHOLE})


async def costs(folder):
    """Return events per second, and the 95th percentile of every kind of question."""
    server = start(folder, durable=True)
    redis = connect(server.url)
    try:
        rate, spent_ms, redis_us = await _taken(folder, server, redis)
        await seed(redis)
        for tenant in OTHERS:
            await seed(redis, tenant, EVENTS // 50)
        store = CostStore(redis)
        counted = (await store.counts("bench"))["events"]
        assert counted == EVENTS, counted
        await _packed(store)
        first = [await _first(redis, parameters) for parameters in QUESTIONS]
        plain, dearest = await _asked(store), await _dearest(store)
        size = (await redis.info("memory"))["used_memory"] / EVENTS
    finally:
        await redis.aclose()
        server.stop()
    name = f"{EVENTS:,} events".replace(",", " ")
    return [Figure("costs take in over HTTP, 1 process", rate, "per s", 1_000, at_least=True),
            Figure("costs, processor time of an event", spent_ms, "ms", None),
            Figure("Redis, time of an event's script", redis_us, "us", None),
            Figure(f"costs question p95, {name}", percentile(plain, 95), "ms", 150),
            Figure("costs, processor time of a process's first reading, at most", max(first),
                   "ms", 100),
            Figure(f"costs dearest of all p95, {name}", percentile(dearest, 95), "ms", 150),
            Figure("Redis per event with its sums", size, "bytes", None)]


async def _taken(folder, server, redis):
    """Return events per second, and what one costs the function and Redis."""
    lines = "\n".join(json.dumps((headers, body.decode())) for headers, body in (
        encode_binary(event("taken", n, TAKEN)) for n in range(TAKEN)))
    with served(folder, server.url, "taken") as (process, url):
        await redis.config_resetstat()
        before, at = psutil.Process(process.pid).cpu_times(), urlsplit(url)
        done = await asyncio.to_thread(subprocess.run, [
            sys.executable, "-m", "tests.benchmarks.intake", at.hostname, str(at.port),
            str(SENDERS)], input=lines.encode(), stdout=subprocess.PIPE, check=True)
        after = psutil.Process(process.pid).cpu_times()
    told = json.loads(done.stdout)
    assert not told["refused"], told
    counts = await CostStore(redis).counts("taken")
    assert counts["events"] == TAKEN, counts
    script = (await redis.info("commandstats"))["cmdstat_evalsha"]
    spent_s = after.user + after.system - before.user - before.system
    return TAKEN / told["seconds"], spent_s * 1000 / TAKEN, script["usec_per_call"]


async def _packed(store):
    """Do what the timer does once a day, as of each of the days."""
    days = await store.days("bench")
    for n in range(len(days)):
        await store.kept.pack("bench", days[max(n - 2, 0):n + 1])


async def _first(redis, parameters):
    """Return the processor time that Redis and a process that knows nothing take, in ms."""
    await redis.config_resetstat()
    store, began = CostStore(redis), time.process_time()
    question = ask(parameters)
    rows = grouped(question, await store.rows("bench", question))
    json.dumps(answer("bench", question, rows))
    spent_ms = (time.process_time() - began) * 1000
    calls = await redis.info("commandstats")
    return spent_ms + sum(one["usec"] for one in calls.values()) / 1000


async def _asked(store):
    samples = []
    for _ in range(ROUNDS):
        for parameters in QUESTIONS:
            began = time.perf_counter()
            question = ask(parameters)
            rows = grouped(question, await store.rows("bench", question))
            json.dumps(answer("bench", question, rows))
            samples.append((time.perf_counter() - began) * 1000)
        for parameters in UNITS:
            began = time.perf_counter()
            found = await unit_costs(store, "bench", ask(parameters))
            samples.append((time.perf_counter() - began) * 1000)
            assert found["tasks"] >= found["successful"] > 0, found
    return samples


async def _dearest(store):
    samples = []
    for n in range(ASKED):
        by = ("task,agent,session,root", "session")[n // 2 % 2]
        filters = {"agent": f"agent-{n % 20}"} if n % 2 else {}
        began = time.perf_counter()
        question = ask({"group_by": by, "limit": "50", **filters})
        assert len(await store.dearest("bench", question)) == 50
        samples.append((time.perf_counter() - began) * 1000)
    return samples
