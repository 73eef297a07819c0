"""Rows and outbox entries as the ledger wrote them before ended rows were packed (ADR 0035)."""

import json
import time

import pytest

from shared.metering import Settlement
from shared.usage import Usage
from tests.integration.ledger.test_corrections import rerate

pytestmark = pytest.mark.anyio
USED = Settlement(usage=Usage(input_uncached=800, output_text=100))
COST, RESERVED = 800 * 150 + 100 * 600, 1000 * 150 + 500 * 600


def line(meter, qty, price, cost):
    return {"sku": f"scripted/default:{meter}", "meter": meter, "qty": qty, "unit_price": price,
            "cost_usd": cost}


OUTCOME = {
    "basis": "provider", "classes": {"input_uncached": 800, "output_text": 100},
    "response": "scripted/default", "rounding": "0", "version": "scripted-1",
    "price_basis": "response", "lines": [
        line("input_uncached", 800, "0.00000015", "0.00012"),
        line("output_text", 100, "0.0000006", "0.00006")]}


def document(tenant, call_id):
    return {
        "invocation": {"id": call_id, "kind": "llm", "step": 1, "attempt": 1,
                       "trigger": {"source": "/gateway", "id": "e1"}, "streamed": False,
                       "cold_start": False},
        "dims": {"tenant": tenant, "agent": "researcher", "agent_version": "1.0.0",
                 "session": "s1", "task": "t1", "root": "t1", "env": "test",
                 "parent_agent": None},
        "most": {"total_nano": RESERVED, "rounding_nano": "0", "version": "scripted-1",
                 "tokens": [1000, 500], "lines": [
                     line("input_max", 1000, "0.00000015", "0.00015"),
                     line("output_max", 500, "0.0000006", "0.0003")]},
        "model": {"provider": "scripted", "selected": "default", "requested": "default",
                  "downgrade_reason": None}}


async def written(ledger, call, ending, cost):
    """An ended row with its entry and its accounts, field by field as they were."""
    now, tenant = str(int(time.time() * 1000)), ledger.tenant
    names = [f"tenant|{tenant}|life", "task|t1|life"]
    row = {"state": ending, "print": "71d1b7cffa7428ac1a70ddc51e9e7abc", "holder": "1",
           "sent": "1", "ticket": "", "expires": now, "usd": str(RESERVED), "tok": "1500",
           "calls": "1", "accounts": " ".join(names), "room": "  ", "cost": str(cost),
           "cost_tok": "900" if ending == "SETTLED" else "1500", "seq": "1", "at": now,
           "call": json.dumps(document(tenant, call.id), separators=(",", ":"))}
    entry = {"kind": "attributed", "id": call.id, "at": now, "held_at": now, "ending": ending,
             "cause": "settle" if ending == "SETTLED" else "sweep", "cost": str(cost),
             "reserved": str(RESERVED), "outcome": json.dumps(OUTCOME) if cost == COST else ""}
    await ledger.redis.hset(f"lg:{{{tenant}}}:r:{call.id}", mapping=row)
    await ledger.redis.hset(f"lg:{{{tenant}}}:seq", mapping={"epoch": "1", "n": "1", ending: "1"})
    await ledger.redis.xadd(f"lg:{{{tenant}}}:out", entry, id="1-1")
    for name in names:
        await ledger.redis.hset(f"lg:{{{tenant}}}:a:{name}", mapping={
            "usd.pst": cost, "tok.pst": row["cost_tok"], "calls.pst": 1, "usd.res": 0,
            "tok.res": 0, "calls.res": 0})


async def test_entry_of_an_earlier_ledger_is_published(ledger):
    call = ledger.call()
    await written(ledger, call, "SETTLED", COST)

    [event] = await ledger.drained()

    assert (event.id, event.json()["cost"]["total_nano"]) == (call.id, COST)
    assert event.json()["ledger"]["accounts"] == [f"tenant|{ledger.tenant}|life", "task|t1|life"]


async def test_forfeit_of_an_earlier_ledger_is_settled_late(ledger):
    call = ledger.call()
    await written(ledger, call, "FORFEITED", RESERVED)

    charge = await ledger.meter.settle(call.id, USED, grant=call.grant)

    assert charge.total_nano == COST
    assert (await ledger.account("task|t1|life"))["usd.pst"] == str(COST)
    assert [e.json().get("delta_nano") for e in await ledger.drained()] == [None, COST - RESERVED]


async def test_charge_of_an_earlier_ledger_is_adjusted_and_read(ledger):
    call = ledger.call()
    await written(ledger, call, "SETTLED", COST)

    answer = await rerate(ledger, apply=True)
    found = await ledger.get(f"/v1/reservations/{call.id}")

    assert answer.json()["rows"][0]["old_nano"] == COST
    assert found["adjustments"] == 1
    assert found["charged_nano"] == answer.json()["rows"][0]["new_nano"] != COST
    assert found["accounts"] == [f"tenant|{ledger.tenant}|life", "task|t1|life"]
