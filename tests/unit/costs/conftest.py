"""Ledger events as design/ledger.md section 7 has them."""

from decimal import Decimal

import pytest

from eventing.event import JSON, Event
from eventing.types_ledger import LEDGER_TYPES
from shared.usage import CLASSES

DAY = "2026-11-20"
TRIGGER = {"source": "/gateway", "id": "e-1"}


class Ledger:
    """Makes the events of one tenant's ledger, numbered without a gap."""

    def __init__(self, tenant="acme", epoch="1"):
        self.tenant, self.epoch, self.seq = tenant, epoch, 0

    def dims(self, *, agent="researcher", session="s-1", task="t-1"):
        return {"tenant": self.tenant, "agent": agent, "agent_version": "1.0.0",
                "session": session, "task": task, "root": task, "parent_agent": None,
                "env": "dev"}

    def attributed(self, event_id, *, cost=1_500, model="small", tool=None, at=f"{DAY}T10:00:00Z",
                   started=f"{DAY}T09:59:59.000Z", tokens=(100, 20), step=1, **dims):
        kind = "tool" if tool else "llm"
        data = {
            "outcome": "settled", "usage_basis": "provider",
            "invocation": {"id": event_id, "kind": kind, "step": step, "attempt": 1,
                           "trigger": TRIGGER, "started": started, "ended": at},
            "dims": self.dims(**dims), "tags": {},
            "model": None if tool else {
                "provider": "scripted", "requested": model, "selected": model, "response": model,
                "service_tier": None, "downgrade_reason": None},
            "tool": {"name": tool, "version": "1.0.0"} if tool else None,
            "usage": {"input_total": 0 if tool else tokens[0],
                      "output_total": 0 if tool else tokens[1],
                      "classes": dict.fromkeys(CLASSES, 0), "requests": {}, "compute_ms": 12},
            "cost": {"currency": "USD", "total_nano": cost, "reserved_nano": cost + 100,
                     "overrun_nano": 0, "rounding_nano": "0", "price_version": "p1",
                     "lines": [self.line("tool" if tool else model, cost)] if cost else []},
            "ledger": {"accounts": self.accounts(**dims), "hold_ms": 40, "cause": "settle"},
            "result": {"finish_reason": "stop", "error_type": None},
        }
        return self.event("attributed", event_id, data, at, task=data["dims"]["task"])

    def denied(self, event_id, *, at=f"{DAY}T11:00:00Z", reason="spent", **dims):
        data = {"dims": self.dims(**dims), "account": "task|t-1|life", "unit": "usd",
                "need": 900, "have": 300, "reason": reason,
                "invocation": {"id": event_id, "kind": "llm", "step": 2, "attempt": 1,
                               "trigger": TRIGGER},
                "model": {"provider": "scripted", "requested": "small", "selected": "small"}}
        return self.event("denied", f"{event_id}:denied", data, at, task=data["dims"]["task"])

    def threshold(self, event_id, *, at=f"{DAY}T11:00:00Z"):
        data = {"account": "tenant|acme|life", "unit": "usd", "percent": 80, "limit": 1000,
                "used": 810}
        return self.event("threshold_crossed", event_id, data, at)

    def adjusted(self, event_id, *, delta, at=f"{DAY}T12:00:00Z", **dims):
        data = {"dims": self.dims(**dims), "n": 1, "delta_nano": delta, "delta_tok": 0,
                "total_nano": 0, "reason": "late settle",
                "invocation": {"id": event_id, "kind": "llm", "step": 1, "attempt": 1,
                               "trigger": TRIGGER},
                "model": {"provider": "scripted", "requested": "small", "selected": "small"}}
        return self.event("adjusted", f"{event_id}:adj:1", data, at, task=data["dims"]["task"])

    def line(self, name, cost):
        return {"sku": f"scripted/{name}:input_uncached", "meter": "input_uncached", "qty": 100,
                "unit_price": "0.00000015", "cost_usd": str(Decimal(cost) / 10**9)}

    def accounts(self, *, agent="researcher", session="s-1", task="t-1"):
        windows = ("life", "m|2026-11", "d|2026-11-20")
        return [*(f"tenant|{self.tenant}|{w}" for w in windows),
                *(f"agent|{agent}|{w}" for w in windows),
                f"session|{session}|life", f"task|{task}|life"]

    def event(self, noun, event_id, data, at, *, task=None):
        self.seq += 1
        data = {**data, "ledger": {**data.get("ledger", {}), "seq": self.seq,
                                   "epoch": self.epoch}}
        event_type = f"dev.tollgate.ledger.{noun}.v1"
        (payload,) = [t for t in LEDGER_TYPES if event_type == t.TYPE]
        extensions = {"tenantid": self.tenant, "ledgerseq": str(self.seq),
                      "ledgerepoch": self.epoch, "partitionkey": self.tenant}
        if task:
            dims = data["dims"]
            extensions |= {"taskid": task, "rootid": task, "sessionid": dims["session"],
                           "agent": dims["agent"],
                           "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
        return Event(id=event_id, source=f"/ledger/{self.tenant}",
                     type=event_type, subject=self.tenant, time=at, datacontenttype=JSON,
                     data=payload.model_validate(data).model_dump_json().encode(),
                     extensions=extensions)


@pytest.fixture
def ledger():
    return Ledger()
