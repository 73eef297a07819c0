"""The cost store: events taken in per second, and questions beside a million stored events."""

import asyncio
import dataclasses
import json
import os
import random
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from eventing.event import JSON, Event
from eventing.local.embedded_redis import start
from functions.costs.facts import read
from functions.costs.packing import pack
from functions.costs.report import answer, ask, grouped
from functions.costs.store import _STORE, CostStore
from functions.costs.storing import arguments, keys_of
from shared.store import connect
from tests.benchmarks.figures import Figure, percentile

EVENTS = int(os.environ.get("TOLLGATE_BENCH_EVENTS", "1000000"))
TAKEN = 5_000
SENDERS = 16
BATCH = 500
DAYS = 30
ASKED = 40
EXAMPLE = Path(__file__).parents[1] / "events" / "dev.tollgate.ledger.attributed.v1.json"
FIRST = datetime(2026, 10, 1, tzinfo=UTC)
WHOLE = {"from": "2026-10-01", "to": "2026-10-31"}
QUESTIONS = (
    {"group_by": "agent"}, {"group_by": "agent,day", **WHOLE}, {"group_by": "model,week"},
    {"group_by": "tool,outcome", **WHOLE}, {"group_by": "day", "agent": "agent-3", **WHOLE},
    {"group_by": "hour", "from": "2026-10-05", "to": "2026-10-12"},
    {"group_by": "env,revision,provider", "from": "2026-10-03T05:00:00Z", "to": "2026-10-20"},
    {"group_by": "task", "session": "s-77"}, {"group_by": "day", "tz": "Europe/Berlin", **WHOLE},
    {"group_by": "month", "measures": "cache_saved_nano,failures,retried_nano,cost_nano"},
)


async def costs(folder):
    """Return events per second, and the 95th percentile of every kind of question."""
    server = start(folder, durable=True)
    redis = connect(server.url)
    try:
        store = CostStore(redis)
        rate = await _taken(store)
        await _seed(redis)
        counted = (await store.counts("bench"))["events"]
        assert counted == EVENTS, counted
        plain, dearest = await _asked(store), await _dearest(store)
        size = (await redis.info("memory"))["used_memory"] / EVENTS
    finally:
        await redis.aclose()
        server.stop()
    name = f"{EVENTS:,} events".replace(",", " ")
    return [Figure("costs take in, 1 process", rate, "per s", 1_000, at_least=True),
            Figure(f"costs question p95, {name}", percentile(plain, 95), "ms", 150),
            Figure(f"costs dearest tasks p95, {name}", percentile(dearest, 95), "ms", 150),
            Figure("Redis per event with its sums", size, "bytes", None)]


async def _taken(store):
    events = [event("taken", n) for n in range(TAKEN)]
    began = time.perf_counter()
    todo = iter(events)

    async def send():
        for each in todo:
            await store.store(each)

    await asyncio.gather(*(send() for _ in range(SENDERS)))
    return TAKEN / (time.perf_counter() - began)


def event(tenant, n):
    """Return the n-th event: some 200 000 tasks of 5 events in a month, 20 agents."""
    document = json.loads(EXAMPLE.read_text())
    data, task = document["data"], f"{n // 5:08d}-6c2e-5d0b-9a44-0d9b9a6f1c11"
    at = FIRST + timedelta(days=DAYS) * n / max(EVENTS, TAKEN)
    data["dims"] |= {"tenant": tenant, "agent": f"agent-{n // 5 % 20}", "task": task,
                     "root": task, "session": f"s-{n // 50}"}
    data["invocation"]["id"] = f"r-{n}"
    data["cost"]["total_nano"] = 255_000 + n % 1000
    data["ledger"] |= {"seq": n + 1, "epoch": "1"}
    return Event(id=f"r-{n}", source=f"/ledger/{tenant}", type=document["type"], subject=tenant,
                 time=at.isoformat(), datacontenttype=JSON, data=json.dumps(data).encode(),
                 extensions={"tenantid": tenant, "ledgerseq": str(n + 1), "ledgerepoch": "1"})


async def _seed(redis):
    """Store the events by the store's own script, in batches; reading one serves for all."""
    pattern = event("bench", 0)
    fact, packed = read(pattern), pack(pattern)
    chance = random.Random(1)
    for start_at in range(0, EVENTS, BATCH):
        numbers = range(start_at, min(start_at + BATCH, EVENTS))
        calls = [_call(fact, n, chance, packed) for n in numbers]
        for answered in await _STORE.each(redis, calls):
            assert answered[0] == "stored", answered


def _call(pattern, n, chance, packed):
    at = FIRST + timedelta(days=DAYS) * n / EVENTS
    values = list(pattern.coordinates)
    values[0] = f"agent-{n // 5 % 20}"
    values[5] = f"openai/model-{n % 4}"
    task = f"{n // 5:08d}-6c2e-5d0b-9a44-0d9b9a6f1c11"
    found = dataclasses.replace(
        pattern, id=f"5d3b1a7e-0f1c-5b1e-9f57-{n:012d}", number=n + 1, task=task, root=task,
        at_ms=int(at.timestamp() * 1000), session=f"s-{n // 50}", coordinates=tuple(values),
        amounts={**pattern.amounts, "cost_nano": chance.randrange(10**6)})
    return keys_of(found), arguments(found, packed, ())


async def _asked(store):
    samples = []
    for _ in range(ASKED // len(QUESTIONS) + 4):
        for parameters in QUESTIONS:
            began = time.perf_counter()
            question = ask(parameters)
            rows = grouped(question, await store.rows("bench", question))
            json.dumps(answer("bench", question, rows))
            samples.append((time.perf_counter() - began) * 1000)
    return samples


async def _dearest(store):
    samples, days = [], await store.days("bench")
    for n in range(ASKED):
        began = time.perf_counter()
        filters = {"agent": f"agent-{n % 20}"} if n % 2 else {}
        question = ask({"group_by": "task,agent,session,root", "limit": "50", **filters})
        rows = await store.places.dearest("bench", question, days)
        assert len(rows) == 50
        samples.append((time.perf_counter() - began) * 1000)
    return samples
