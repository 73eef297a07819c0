"""Ledger events as a company would cause them: six weeks, forty agents, some tenants."""

import dataclasses
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from eventing.event import JSON, Event
from functions.costs.events.facts import read
from functions.costs.events.packing import pack
from functions.costs.store.ends import _END, ENDS, End, replacing
from functions.costs.store.store import _STORE
from functions.costs.store.storing import arguments, keys_of

EVENTS = int(os.environ.get("TOLLGATE_BENCH_EVENTS", "1000000"))
BATCH = 500
DAYS, AGENTS, MODELS, TOOLS, RELEASES = 42, 40, 12, 10, 3
OTHERS = ("bench-a", "bench-b", "bench-c", "bench-d")
"""Tenants beside the large one, each with a fiftieth of its events."""

EXAMPLE = Path(__file__).parents[1] / "events" / "dev.tollgate.ledger.attributed.v1.json"
FIRST = datetime(2026, 10, 1, tzinfo=UTC)
UNUSUAL = {7: "forfeited", 53: "unreserved"}
"""How every so many-th invocation ends, but for the many that are settled."""


@dataclasses.dataclass(frozen=True)
class Call:
    """The n-th invocation: five of a task, fifty of a session, a quarter of them in sub-tasks."""

    n: int
    of: int

    @property
    def at(self):
        return FIRST + timedelta(days=DAYS) * self.n / self.of

    @property
    def task(self):
        return _task(self.n // 5)

    @property
    def root(self):
        number = self.n // 5
        return _task(number - number % 4) if number % 4 == 3 else self.task

    @property
    def session(self):
        return f"s-{self.n // 50}"

    @property
    def agent(self):
        return self.n // 5 * 7 % AGENTS

    @property
    def release(self):
        return self.n * RELEASES // self.of

    @property
    def tool(self):
        return f"tool-{(self.agent + self.n) % 3 * 3 % TOOLS}" if self.n % 5 > 2 else None

    @property
    def model(self):
        return None if self.tool else f"model-{(self.agent + self.n % 5) % MODELS}"

    @property
    def outcome(self):
        return next((name for n, name in UNUSUAL.items() if self.n % (n * 20) == n), "settled")

    @property
    def cost(self):
        return 255_000 + self.n * 7919 % 1_000_003


def _task(number):
    return f"{number:08d}-6c2e-5d0b-9a44-0d9b9a6f1c11"


def event(tenant, n, of=EVENTS):
    """Return the event of the n-th invocation."""
    document, call = json.loads(EXAMPLE.read_text()), Call(n, of)
    data = document["data"]
    data["dims"] |= {"tenant": tenant, "agent": f"agent-{call.agent}", "task": call.task,
                     "root": call.root, "session": call.session,
                     "agent_version": f"1.{call.release}.0"}
    data["invocation"] |= {"id": f"r-{n}", "revision": f"agent-{call.agent}-{call.release}"}
    data["outcome"] = call.outcome
    data["cost"]["total_nano"] = call.cost
    if call.tool:
        data["tool"], data["model"] = {"name": call.tool, "version": "1.0.0"}, None
        data["invocation"]["kind"] = "tool"
    else:
        data["model"] |= {"selected": call.model, "response": call.model}
    data["ledger"] |= {"seq": n + 1, "epoch": "1"}
    return Event(id=f"r-{n}", source=f"/ledger/{tenant}", type=document["type"], subject=tenant,
                 time=call.at.isoformat(), datacontenttype=JSON, data=json.dumps(data).encode(),
                 extensions={"tenantid": tenant, "ledgerseq": str(n + 1), "ledgerepoch": "1",
                             "taskid": call.task, "agent": f"agent-{call.agent}",
                             "partitionkey": tenant, "traceparent": f"00-{n:032x}-{n:016x}-01"})


async def seed(redis, tenant="bench", count=EVENTS):
    """Store a tenant's events by the store's own script, in batches; reading one serves for all."""
    patterns = {kind: event(tenant, n, count) for kind, n in (("llm", 0), ("tool", 3))}
    read_once = {kind: (read(one), pack(one)) for kind, one in patterns.items()}
    for start_at in range(0, count, BATCH):
        calls = [Call(n, count) for n in range(start_at, min(start_at + BATCH, count))]
        given = [_given(*read_once["tool" if call.tool else "llm"], call) for call in calls]
        for answered in await _STORE.each(redis, given):
            assert answered == "stored", answered
        ends = [_ended(call) for call in calls if call.n % 5 == 4 and call.n % 2000 != 1999]
        assert set(await _END.each(redis, [_given_end(tenant, end) for end in ends])) <= {"kept"}


def _ended(call):
    status = ENDS[call.n // 5 % 60 % 4] if call.n // 5 % 60 < 6 else "completed"
    at_ms = int(call.at.timestamp() * 1000)
    return End(call.task, f"agent-{call.agent}", status, 3, at_ms, 60_000, call.cost * 5,
               (f"e-{call.n}",))


def _given_end(tenant, end):
    names, given = replacing(tenant, end, None)
    return names, [end.task, "", *given]


def _given(pattern, packed, call):
    values = list(pattern.coordinates)
    values[:3] = (f"agent-{call.agent}", f"1.{call.release}.0",
                  f"agent-{call.agent}-{call.release}")
    values[4], values[9] = call.tool, call.outcome
    if call.model:
        values[5] = f"openai/{call.model}"
    found = dataclasses.replace(
        pattern, id=f"5d3b1a7e-0f1c-5b1e-9f57-{call.n:012d}", number=call.n + 1, task=call.task,
        root=call.root, at_ms=int(call.at.timestamp() * 1000), session=call.session,
        coordinates=tuple(values), amounts={**pattern.amounts, "cost_nano": call.cost})
    return keys_of(found), arguments(found, packed, ())
