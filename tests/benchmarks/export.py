"""A month's export: what it takes, and how others are answered meanwhile."""

import asyncio
import time

import psutil

from eventing.local.embedded_redis import start
from functions.costs.events.facts import read
from functions.costs.events.packing import pack
from functions.costs.store.store import _STORE
from functions.costs.store.storing import arguments, keys_of
from shared.http_client import plain_client
from shared.store import connect
from tests.benchmarks.door import KEY, served
from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.rig import pss_mib
from tests.benchmarks.spending import BATCH, DAYS, event

MONTH = 1_000_000
"""Events of the month of which the first days are exported."""

STORED = 2 * MONTH // 31
OF_ALL_DAYS = MONTH * DAYS // 31
ASKED_EVERY_S = 0.05
HEADERS = {"authorization": f"Bearer {KEY}"}
EXPORT = "/v1/export/focus?month=2026-10"
QUESTION = "/v1/costs?group_by=day,agent&from=2026-10-01&to=2026-11-01"


async def export(folder):
    """Return processor time and memory of an export, and the time of questions beside it."""
    server = start(folder, durable=False)
    redis = connect(server.url)
    try:
        await _seeded(redis)
        with served(folder, server.url, "bench") as (process, url):
            spent_s, peak_mib, asked_ms = await _exported(psutil.Process(process.pid), url)
    finally:
        await redis.aclose()
        server.stop()
    return [Figure("costs export of a million events, processor time", spent_s * MONTH / STORED,
                   "s", 100),
            Figure("costs question p95 during an export", percentile(asked_ms, 95), "ms", 150),
            Figure("memory (PSS) of costs during an export, at most", peak_mib, "MiB", 128)]


async def _seeded(redis):
    for first in range(0, STORED, BATCH):
        events = [event("bench", n, OF_ALL_DAYS) for n in range(first, min(first + BATCH, STORED))]
        facts = [(read(one), pack(one)) for one in events]
        answers = await _STORE.each(redis, [
            (keys_of(fact), arguments(fact, packed, ())) for fact, packed in facts])
        assert set(answers) == {"stored"}, answers


async def _exported(process, url):
    async with plain_client(300) as http:
        await _asked(http, url)  # a first question, and the first second of a process
        before = process.cpu_times()
        exporting = asyncio.create_task(http.get(f"{url}{EXPORT}", headers=HEADERS))
        asked_ms, peak_mib = [], 0
        while not exporting.done():
            asked_ms.append(await _asked(http, url))
            peak_mib = max(peak_mib, pss_mib([process.pid]))
            await asyncio.sleep(ASKED_EVERY_S)
        after = process.cpu_times()
    lines = (await exporting).text.count("\r\n")
    assert lines > 1_000, lines
    return after.user + after.system - before.user - before.system, peak_mib, asked_ms

async def _asked(http, url):
    began = time.perf_counter()
    answer = await http.get(f"{url}{QUESTION}", headers=HEADERS)
    assert answer.status_code == 200, answer.text
    return (time.perf_counter() - began) * 1000
