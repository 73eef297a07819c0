"""Costs beside the real ledger: whatever happens to the events, both come to the same sums."""

import random
import time

import httpx2
import pytest
from pydantic import SecretStr
from starlette.requests import Request

from eventing.adapter import App, serve
from functions.costs.events.facts import read
from functions.costs.questions.question import ask
from functions.costs.questions.report import grouped
from functions.costs.questions.rows import total
from functions.costs.trust import gaps
from functions.costs.trust.ledger import LedgerEvents
from functions.costs.trust.reconciling import Reconciliation
from functions.ledger.api import routes
from functions.ledger.prices import PriceBook
from functions.ledger.wiring import assemble
from shared.auth import ApiKey, ApiKeys, Grant, TaskLimits, hash_key, sign
from shared.metering import Attribution, Call, Denied, Meter, Settlement
from shared.usage import Usage

pytestmark = pytest.mark.anyio
KEY = SecretStr("k" * 32)
WHY = Attribution(step=1, attempt=1, agent_version="1.0.0", env="test",
                  trigger_source="/gateway", trigger_id="e-1")


class Recorder:
    """Stands where the broker is."""

    def __init__(self):
        self.events = []

    async def publish(self, event):
        self.events.append(event)


class Desk:
    """A ledger of one tenant, its client, and what it published."""

    def __init__(self, redis, tenant):
        self.tenant, self.broker = tenant, Recorder()
        keys = ApiKeys((ApiKey(key_sha256=hash_key("tg"), tenant=tenant,
                               rights=frozenset({"costs"})),))
        prices = PriceBook({("calculator", "1.0.0"): 250})
        self.parts = assemble(redis, self.broker, prices, key=KEY, api_keys=keys)
        handle = serve(App(name="ledger", routes=routes(self.parts)))

        async def asgi(scope, receive, send):
            await (await handle(Request(scope, receive)))(scope, receive, send)

        self.http = httpx2.AsyncClient(transport=httpx2.ASGITransport(asgi))
        self.meter = Meter("http://ledger", self.http)

    def grant(self, task, *, usd=10**9):
        limits = TaskLimits(task=task, usd=usd, tok=10**6)
        return sign(Grant(tenant=self.tenant, agent="researcher", session="s", root=task,
                          limits=limits, exp=int(time.time()) + 600), KEY)

    def call(self, name, grant, *, tool=None):
        what = {"kind": "tool", "tool": tool, "tool_version": "1.0.0"} if tool else {
            "kind": "llm", "model": "scripted/default", "input_tokens_max": 1000,
            "output_tokens_max": 500}
        return Call(id=f"{self.tenant}-{name}", grant=grant, holder=1, lease_s=60,
                    attribution=WHY, **what)

    async def summary(self):
        answer = await self.http.get("http://ledger/v1/summary",
                                     headers={"authorization": "Bearer tg"})
        return answer.json()


@pytest.fixture
async def desk(redis, ledger):
    found = Desk(redis, ledger.tenant)
    yield found
    await found.http.aclose()


async def spend(desk):
    """Every way a call can end: settled, denied, voided, forfeited, corrected."""
    meter, chance = desk.meter, random.Random(7)
    for n in range(12):
        grant = desk.grant(f"t-{n % 3}")
        call = desk.call(n, grant, tool=chance.choice([None, "calculator"]))
        await meter.hold(call, dispatch=True)
        used = Usage() if call.tool else Usage(input_uncached=chance.randrange(1000),
                                               output_text=chance.randrange(500))
        await meter.settle(call.id, Settlement(usage=used, started=1.0, ended=2.0), grant=grant)
    poor, rich = desk.grant("t-poor", usd=1), desk.grant("t-0")
    with pytest.raises(Denied):
        await meter.hold(desk.call("denied", poor))
    await meter.hold(desk.call("voided", rich))
    await meter.void(f"{desk.tenant}-voided", 1, grant=rich)
    await meter.hold(desk.call("late", rich), dispatch=True)
    await meter.resolve(f"{desk.tenant}-late", 1, grant=rich)
    late = Settlement(usage=Usage(input_uncached=10, output_text=1), started=1.0, ended=2.0)
    await meter.settle(f"{desk.tenant}-late", late, grant=rich)


async def test_costs_equal_the_ledger_whatever_happens_to_its_events(desk, store):
    await spend(desk)
    await desk.parts.outbox.drain(desk.tenant)
    arrived = [e for n, e in enumerate(desk.broker.events) if n % 4] * 2
    random.Random(1).shuffle(arrived)

    for event in arrived:
        await store.store(event)
    before = await gaps.report(store, desk.tenant)
    events = LedgerEvents("http://ledger", desk.http)
    after = await gaps.fill(store, events, desk.tenant, "Bearer tg")

    truth = await desk.summary()
    question = ask({"group_by": "agent"})
    spent = total(grouped(question, await store.rows(desk.tenant, question)))
    assert not before["gapless"]
    assert (after["gapless"], after["events"]) == (True, truth["events"])
    assert spent.cost_nano == truth["posted_nano"] > 0
    assert spent.invocations == truth["terminal"]


async def test_kinds_of_events_are_told_apart(desk, store):
    await spend(desk)
    await desk.parts.outbox.drain(desk.tenant)

    facts = [read(event) for event in desk.broker.events]

    kinds = [fact.kind for fact in facts]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "attributed": 14, "denied": 1, "adjusted": 1}
    assert {fact.name for fact in facts if fact.what} == {"scripted/default", "calculator"}


async def test_cost_and_tokens_of_a_task_equal_the_ledgers(desk, store):
    await spend(desk)
    await desk.parts.outbox.drain(desk.tenant)
    for event in desk.broker.events:
        await store.store(event)

    question = ask({"group_by": "task"})
    by_task = {r.of["task"]: r.sums
               for r in grouped(question, await store.rows(desk.tenant, question))}

    for task in ("t-0", "t-1", "t-2"):
        found = await desk.meter.usage(task, desk.grant(task))
        assert (by_task[task].cost_nano, by_task[task].tokens) == (
            found.posted_nano, found.posted_tok)


async def compared(desk, store, **span):
    comparing = Reconciliation(store, LedgerEvents("http://ledger", desk.http), desk.tenant,
                               "Bearer tg")
    return await comparing.report(ask({k.rstrip("_"): v for k, v in span.items()}).span)


async def test_all_sources_agree_to_the_nano_dollar(desk, store):
    await spend(desk)
    await desk.parts.outbox.drain(desk.tenant)
    for event in desk.broker.events:
        await store.store(event)

    found = await compared(desk, store)

    truth = (await desk.summary())["posted_nano"]
    assert found["sources"] == dict.fromkeys(
        ("ledger", "outbox", "costs", "events", "archive", "focus"), truth)
    assert (found["differences"], found["agrees"]) == ({}, True)
    assert (await compared(desk, store, from_="2020-01-01", to_="2020-02-01"))["sources"] == \
        dict.fromkeys(found["sources"], 0)


async def test_missing_event_is_a_difference_to_ledger_and_outbox(desk, store):
    await spend(desk)
    await desk.parts.outbox.drain(desk.tenant)
    lost = next(e for e in desk.broker.events if read(e).sums.cost_nano > 0)
    for event in desk.broker.events:
        if event is not lost:
            await store.store(event)

    found = await compared(desk, store)

    cost = read(lost).sums.cost_nano
    assert found["differences"] == {"ledger": cost, "outbox": cost}
    assert (found["missing_events"], found["agrees"]) == (1, False)
