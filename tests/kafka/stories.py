"""What the whole system must do over any Kafka-class broker; each story takes a started one."""

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from functools import partial

from eventing.cli.demo import AGENT, SOURCE, TOKENS
from eventing.cli.demo_checks import Facts, awake, checks
from eventing.cli.demo_facts import read, traces_of
from eventing.cli.demo_figures import expected
from eventing.cli.demo_system import EXAMPLES, WINDOW_S
from tests.conformance.protocol import Spec
from tests.conformance.subscriber import Subscriber
from tests.kafka.over_broker import OverBroker
from tests.system import until

DEMO = {"script": EXAMPLES / "demo.yaml", "env": {"READER_ROOT": str(EXAMPLES)},
        "window_s": WINDOW_S}
ANSWER = "6 and 7: told 204"
STEPS = 3
TASKS = 6
"""Per kill: enough that some have a call open, an event on its way, and a step to come."""

LATE_S = 180.0
"""A broker that was killed is back, and what it repeats is done: minutes on a small cluster."""

ROUND_S = 1.0


async def demo_verdict(broker, folder):
    """Run the demo's task over a broker; return its checks, as `tollgate demo` does."""
    async with OverBroker(folder, broker, **DEMO) as system, _tapped(broker) as tap:
        tenant = system.tenant()
        hook = system.hook.url(tenant.name)
        answer = await tenant.ask("POST", "/events", json=_event(hook), headers={
            "content-type": "application/cloudevents+json"})
        assert answer.status_code == 202, answer.text
        task = await tenant.wait(answer.json()["id"], timeout_s=LATE_S)
        return checks(await _facts(system, tenant, task, tap))


@asynccontextmanager
async def _tapped(broker):
    """Yield a subscriber that sees every event that passes the broker."""
    tap = await Subscriber().start()
    try:
        await broker.add_trigger("tap", Spec(tap.url))
        yield tap
    finally:
        await tap.stop()


def _event(hook):
    prompt = read(EXAMPLES / "prompt.txt").replace("{webhook}", hook)
    return {"specversion": "1.0", "type": "dev.tollgate.task.submitted.v1", "source": SOURCE,
            "id": "demo-1", "datacontenttype": "application/json",
            "data": {"agent": AGENT, "prompt": prompt, "token_budget": TOKENS}}


async def _facts(system, tenant, task, tap):
    summary, gaps = await tenant.books()
    always_on = frozenset({"ledger"})
    await until(lambda: not awake(system.runtime.status()["functions"], always_on))
    return Facts(
        expected=expected(read(EXAMPLES / "sales.csv"), read(EXAMPLES / "report.md")),
        task=task, records=[*system.runtime.parts.journal.after(0), *_passed(tap)],
        functions=system.runtime.status()["functions"], always_on=always_on,
        by_agent=await tenant.costs("agent"), by_tool=await tenant.costs("tool"),
        by_model=await tenant.costs("model"), gaps=gaps, summary=summary,
        webhook_keys=system.hook.keys(tenant.name),
        traces=traces_of(task["id"], system.folder / "data" / "logs"))


def _passed(tap):
    """Return the events that passed, as the embedded runtime's journal would have them."""
    return [{"kind": "event", "n": 0, "time": one.at, "type": one.headers["ce-type"],
             "task": one.headers.get("ce-taskid")} for one in tap.received]


async def tasks_survive(system, kills):
    """Run tasks while things die; assert that each ends once and that the books close.

    `kills` are coroutine functions; each is called while tasks are on their way.
    """
    tenant, tasks = system.tenant(), []
    async with _watched(system):
        for number, kill in enumerate(kills):
            fresh = await _errands(system, tenant, number)
            await until(partial(_under_way, system, fresh), what="tasks are under way")
            await kill()
            tasks += fresh
        ended = [await tenant.wait(task, timeout_s=LATE_S) for task in tasks]
        summary, _ = await tenant.books()
    assert {(one["status"], one["result"]["output"]) for one in ended} == {("completed", ANSWER)}
    for task in tasks:
        assert set(Counter(system.model_calls(task)).values()) == {1}
        assert len(system.model_calls(task)) == STEPS
    keys = system.hook.keys(tenant.name)
    assert len(keys) == len(set(keys)) == len(tasks)
    assert summary["posted_nano"] == (await tenant.costs("agent"))["total_nano"]
    assert await tenant.letters() == []


async def _errands(system, tenant, number):
    prompt = f"errand {system.hook.url(tenant.name)}"
    return [await tenant.submit(prompt, key=f"{number}-{nth}") for nth in range(TASKS)]


def _under_way(system, tasks):
    return any(system.model_calls(task) for task in tasks)


@asynccontextmanager
async def _watched(system):
    """Let the watchdog make its rounds, as its timer would."""
    async def rounds():
        while True:
            await system.rounds()
            await asyncio.sleep(ROUND_S)
    watching = asyncio.create_task(rounds())
    try:
        yield
    finally:
        watching.cancel()
