"""Redis forgets the last moment of what it acknowledged, as `appendfsync everysec` may.

Nobody can bring that back. What must hold: no two places disagree about it in silence. With
`always`, and on a machine that stays up, nothing is lost: test_books_after_chaos.
"""

import os
import random
import signal
import time

import pytest

from functions.ledger.background import DOUBTS_EVERY_TICKS
from tests.chaos.spent import everything, months, reconcile
from tests.chaos.storm import Storm
from tests.frozen import frozen
from tests.kafka.over_broker import OverBroker
from tests.kafka.separate import SeparateBroker
from tests.seeds import SEED, times
from tests.system import lives, until

pytestmark = pytest.mark.anyio
ROUND = ("plain", "eight", "spend all {n}0")


@pytest.fixture
async def system(tmp_path):
    """A system whose broker forgets nothing: it is kept elsewhere."""
    (tmp_path / "broker").mkdir()
    broker = SeparateBroker(tmp_path / "broker")
    await broker.start()
    async with OverBroker(tmp_path / "system", broker, env={"COSTS_TAG_KEYS": "team"}) as found:
        yield found
        assert found.unexpected() == []
    await broker.stop()


def written(system):
    """Return the append-only file of the functions' Redis, and its size."""
    log = max((system.folder / "data" / "redis").rglob("*.aof"), key=lambda f: f.stat().st_size)
    return log, log.stat().st_size


async def forgets(system, tenant, size):
    """Kill Redis, cut its file to a size, and wait until it is back with what that has."""
    log, _ = written(system)
    pid = system.runtime._embedded.pid
    os.kill(pid, signal.SIGKILL)
    while lives(pid):  # in one breath: the runtime starts it again
        time.sleep(0.001)
    os.truncate(log, size)
    await until(lambda: system.runtime._embedded.pid != pid, what="Redis runs again")
    await system.lapse_when_back(tenant)


async def spent(tenant):
    """Run a round of tasks; return them once the books are closed."""
    tasks = [await tenant.ran(prompt.format(n=n)) for n, prompt in enumerate(ROUND)]
    await tenant.books()
    return [task["id"] for task in tasks]


async def test_what_redis_forgot_is_forgotten_by_all_alike(system):
    began, chance, tenant = time.time(), random.Random(SEED), system.tenant()
    storm = Storm(system, None, [tenant], chance)
    storm.tasks[tenant] += await spent(tenant)
    for _ in range(times(2, 8)):
        _, before = written(system)
        late = await spent(tenant)
        _, after = written(system)

        await forgets(system, tenant, chance.randrange(before, after))
        storm.tasks[tenant] += [task for task in late if await is_known(tenant, task)]
        await storm.calm()
        await system.lapse_holds(tenant)
        answer = await tenant.ask("POST", "/v1/gaps/fill", at="costs")

        assert answer.is_success, answer.text
        summary, gaps = await tenant.books()
        found = await everything(tenant, storm.tasks[tenant], months(began, time.time()))
        assert set(found.values()) == {summary["posted_nano"]}, f"seed {SEED}"
        assert gaps["conflicts"] == 0


async def is_known(tenant, task):
    return (await tenant.ask("GET", f"/tasks/{task}")).status_code == 200


async def test_cost_that_the_ledger_forgot_and_an_event_told_is_named(system):
    tenant = system.tenant()
    await spent(tenant)
    _, size = written(system)
    with frozen(*system.pids("costs")):
        for n, prompt in enumerate(ROUND):
            await tenant.ran(prompt.format(n=n))
        told = (await until(lambda: published(system, tenant), what="all is published"))
        await forgets(system, tenant, size)
    kept = await tenant.summary()
    lost = told["posted_nano"] - kept["posted_nano"]
    assert lost > 0
    await until(lambda: has_events(tenant, told["events"]), what="costs has heard it all")

    code, found = await reconcile(tenant)

    assert (code, found["differences"]) == (1, {"ledger": -lost})
    await tenant.ran("spend all 10")  # takes a number that was given before
    await until(lambda: conflicts(tenant), what="the number is seen again")
    first, *_ = (await tenant.got("/v1/gaps", at="costs"))["conflicting"]
    assert first.startswith(f"{kept['epoch']} {kept['events'] + 1} ")
    for _ in range(DOUBTS_EVERY_TICKS):
        assert (await tenant.ask("POST", "/sweep", at="ledger")).is_success
    await tenant.ran("spend all 20")
    later = await until(lambda: numbered_anew(tenant, kept["epoch"]), what="a new epoch")
    code, found = await reconcile(tenant)
    assert (code, found["differences"], found["missing_events"]) == (1, {"ledger": -lost}, 0)
    assert later["missing_count"] == 0


async def published(system, tenant):
    """Return the ledger's summary once the broker has taken every event it numbered."""
    summary = await tenant.summary()
    (group,) = await system.redis.xinfo_groups(f"lg:{{{tenant.name}}}:out")
    last = f"{summary['epoch']}-{summary['events']}"
    return group["last-delivered-id"] == last and not group["pending"] and summary


async def has_events(tenant, count):
    return (await tenant.got("/v1/gaps", at="costs"))["events"] == count


async def conflicts(tenant):
    return (await tenant.got("/v1/gaps", at="costs"))["conflicts"]


async def numbered_anew(tenant, epoch):
    """Return the gap check once costs has an event of a later epoch, whose first has the number 1.
    """
    found = await tenant.got("/v1/gaps", at="costs")
    summary = await tenant.summary()
    ends = {one["epoch"]: one["last"] for one in found["epochs"]}
    return summary["epoch"] != epoch and ends.get(summary["epoch"]) == summary["events"] and found
