"""A ledger over real Redis, spoken to through its HTTP API without a process of its own."""

import json
import time
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from types import SimpleNamespace
from uuid import uuid4

import httpx2
import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from starlette.requests import Request

from eventing.adapter import App, serve
from eventing.event import Event
from functions.ledger.api import routes
from functions.ledger.prices import PriceBook
from functions.ledger.wiring import assemble
from shared.auth import ApiKey, ApiKeys, Grant, TaskLimits, hash_key, sign
from shared.errors import Transient
from shared.metering import Attribution, Call, Meter
from shared.store import connect

KEY = SecretStr("a-key-of-at-least-32-characters-for-tests")
TOOLS = {("calculator", "1.0.0"): 0, ("reader", "1.0.0"): 5_000}
NO_LIMIT = 10**12


@dataclass
class Broker:
    """Takes every event, or none."""

    events: list[Event] = field(default_factory=list)
    away: bool = False

    async def publish(self, event):
        if self.away:
            raise Transient("the broker is away")
        self.events.append(event)


@dataclass
class Ledger:
    """One ledger and one tenant of its own."""

    parts: SimpleNamespace
    http: httpx2.AsyncClient
    meter: Meter
    broker: Broker
    redis: Redis
    tenant: str
    api_key: str

    def granted(self, **changes):
        task = changes.pop("task", "t1")
        limits = TaskLimits(task=task, usd=changes.pop("usd", NO_LIMIT),
                            tok=changes.pop("tok", NO_LIMIT))
        grant = Grant(**({"tenant": self.tenant, "agent": "researcher", "session": "s1",
                          "root": task, "limits": limits,
                          "exp": int(time.time()) + 3600} | changes))
        return sign(grant, KEY)

    @staticmethod
    def limits(tasks):
        """Return what a grant says of ancestor tasks without a limit of their own."""
        return tuple(TaskLimits(task=task, usd=NO_LIMIT, tok=NO_LIMIT) for task in tasks)

    def call(self, **changes):
        of_the_grant = ("usd", "tok", "task", "agent", "ancestors", "exp", "root")
        grant = {k: changes.pop(k) for k in of_the_grant if k in changes}
        values = {"id": str(uuid4()), "grant": self.granted(**grant), "kind": "llm", "holder": 1,
                  "lease_s": 30.0, "model": "scripted/default", "input_tokens_max": 1000,
                  "output_tokens_max": 500, "attribution": ATTRIBUTION} | changes
        return Call(**values)

    async def post(self, path, body, grant=None, **headers):
        if grant is not None:
            headers["tollgate-grant"] = grant
        return await self.http.post(path, json=body, headers=headers)

    async def budget(self, limit, scope="tenant", owner=None, **body):
        return await self.http.put(
            f"/v1/budgets/{scope}/{owner or self.tenant}", json={"limit": limit, **body},
            headers={"authorization": f"Bearer {self.api_key}"})

    async def get(self, path):
        answer = await self.http.get(path, headers={"authorization": f"Bearer {self.api_key}"})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def account(self, name):
        return await self.redis.hgetall(f"lg:{{{self.tenant}}}:a:{name}")

    async def accounts(self):
        found = {}
        async for key in self.redis.scan_iter(f"lg:{{{self.tenant}}}:a:*"):
            found[key.split(":a:")[1]] = await self.redis.hgetall(key)
        return found

    async def drained(self):
        await self.parts.outbox.drain(self.tenant)
        return [event for event in self.broker.events if event.subject == self.tenant]

    async def lapse(self, reservation_id):
        """Let a lease end without waiting: its row and its place in the lease set."""
        past = int(time.time() * 1000) - 1
        await self.redis.hset(f"lg:{{{self.tenant}}}:r:{reservation_id}", "expires", past)
        await self.redis.zadd(f"lg:{{{self.tenant}}}:exp", {reservation_id: past})


ATTRIBUTION = Attribution(
    step=1, attempt=1, agent_version="1.0.0", env="test", trigger_source="/gateway",
    trigger_id="e1", trace_id="0af7651916cd43dd8448eb211c80319c", tags={"team": "blue"},
    revision="researcher-00001")


def reserve_body(call, **changes):
    """The JSON that the client sends for a call."""
    body = json.loads(json.dumps(asdict(call)))
    grant = body.pop("grant")
    return body | changes, grant


@asynccontextmanager
async def serving(redis_url):
    """A ledger over that Redis, with a tenant of its own."""
    redis = connect(redis_url)
    tenant, api_key, broker = f"t{uuid4().hex[:12]}", "tg_test", Broker()
    keys = ApiKeys((ApiKey(key_sha256=hash_key(api_key), tenant=tenant,
                           rights=frozenset({"budgets", "costs"})),))
    parts = assemble(redis, broker, PriceBook(TOOLS), key=KEY, api_keys=keys)
    handle = serve(App(name="ledger", routes=routes(parts)))

    async def asgi(scope, receive, send):
        response = await handle(Request(scope, receive))
        await response(scope, receive, send)

    transport = httpx2.ASGITransport(app=asgi)
    async with httpx2.AsyncClient(transport=transport, base_url="http://ledger") as client:
        yield Ledger(parts, client, Meter("http://ledger", client), broker, redis, tenant, api_key)
    await redis.aclose()


def killed(server):
    """Kill an embedded Redis; `revive` brings it back."""
    server._process.kill()
    server._process.wait()


@pytest.fixture
async def ledger(redis_url):
    async with serving(redis_url) as found:
        yield found
