"""Ledger events as design/ledger.md section 7 has them."""

import json

import pytest

from eventing.event import JSON, Event

DAY = "2026-11-20"


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
                           "trigger": {"source": "/gateway", "id": "e-1"}, "started": started,
                           "ended": at, "streamed": False, "cold_start": False},
            "dims": self.dims(**dims), "tags": {},
            "model": None if tool else {
                "provider": "scripted", "requested": model, "selected": model, "response": model,
                "service_tier": None, "downgrade_reason": None},
            "tool": {"name": tool, "version": "1.0.0"} if tool else None,
            "usage": {"input_total": 0 if tool else tokens[0],
                      "output_total": 0 if tool else tokens[1],
                      "classes": {}, "requests": {}, "compute_ms": 12},
            "cost": {"currency": "USD", "total_nano": cost, "reserved_nano": cost + 100,
                     "overrun_nano": 0, "rounding_nano": 0, "lines": [], "price_version": "p1"},
            "ledger": {"accounts": ["tenant|acme|life"], "hold_ms": 40},
            "result": {"finish_reason": "stop", "error_type": None},
        }
        return self.event("attributed", event_id, data, at, task=data["dims"]["task"])

    def denied(self, event_id, *, at=f"{DAY}T11:00:00Z", reason="spent", **dims):
        data = {"dims": self.dims(**dims), "account": "task|t-1|life", "unit": "usd",
                "need": 900, "have": 300, "reason": reason,
                "invocation": {"id": event_id, "kind": "llm", "step": 2, "attempt": 1},
                "model": {"provider": "scripted", "requested": "small"}, "tool": None}
        return self.event("denied", f"{event_id}:denied", data, at, task=data["dims"]["task"])

    def threshold(self, event_id, *, at=f"{DAY}T11:00:00Z"):
        data = {"account": "tenant|acme|life", "unit": "usd", "percent": 80, "limit": 1000,
                "used": 810}
        return self.event("threshold_crossed", event_id, data, at)

    def event(self, noun, event_id, data, at, *, task=None):
        self.seq += 1
        data = {**data, "ledger": {**data.get("ledger", {}), "seq": self.seq,
                                   "epoch": self.epoch}}
        extensions = {"tenantid": self.tenant, "ledgerseq": str(self.seq)}
        if task:
            extensions |= {"taskid": task, "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
        return Event(id=event_id, source=f"/ledger/{self.tenant}",
                     type=f"dev.tollgate.ledger.{noun}.v1", subject=self.tenant, time=at,
                     datacontenttype=JSON, data=json.dumps(data).encode(), extensions=extensions)


@pytest.fixture
def ledger():
    return Ledger()
