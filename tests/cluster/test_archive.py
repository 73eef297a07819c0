"""Old events of costs go to object storage, by the function's own image, and still answer."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from eventing.http import encode_binary
from eventing.types import PING
from functions.costs.archive.parquet import decoded
from tests.system import until
from tests.unit.costs.conftest import Ledger

pytestmark = pytest.mark.anyio

EVENTS, COST = 20, 1_000
OLD = (datetime.now(UTC) - timedelta(days=200)).strftime("%Y-%m-%d")
"""Older than the months that costs keeps."""


async def delivered(system, tenant):
    """Publish the events of a ledger as it was then; wait until costs has them."""
    ledger = Ledger(tenant=tenant.name)
    for number in range(EVENTS):
        at = f"{OLD}T10:{number:02}:00Z"
        event = ledger.attributed(f"old-{number}", cost=COST, task="t-old", at=at, started=at)
        headers, body = encode_binary(event)
        answer = await system.http.post(system.broker, headers=headers, content=body)
        assert answer.status_code == 202, answer.text
    await until(lambda: all_there(tenant), timeout_s=60, what="costs has the events")


async def all_there(tenant):
    return (await tenant.got("/v1/gaps", at="costs"))["events"] == EVENTS


async def night(system):
    """Let the PingSource's hour come."""
    headers = {"ce-specversion": "1.0", "ce-type": PING, "ce-source": "/ping", "ce-id": OLD}
    answer = await system.http.post(system.addresses["costs"] + "/", headers=headers)
    assert answer.status_code == 204, answer.text


async def known(tenant):
    """Return the sums of the old day, and its events' ids."""
    span = {"from": OLD, "to": datetime.now(UTC).strftime("%Y-%m-%d")}
    sums = await tenant.got("/v1/costs", at="costs", params={"group_by": "task", **span})
    events = await tenant.ask("GET", "/v1/events", at="costs", params=span)
    assert events.status_code == 200, events.text
    return sums["total_nano"], sorted(json.loads(line)["id"] for line in events.text.splitlines())


async def test_old_events_move_to_object_storage_and_still_answer(system, storage):
    tenant = system.tenant()
    await delivered(system, tenant)
    before = await known(tenant)

    await night(system)
    moved = storage.objects(f"tenant={tenant.name}/month={OLD[:7]}/")
    await night(system)

    assert before == (EVENTS * COST, sorted(f"old-{n}" for n in range(EVENTS)))
    assert sorted(e.id for body in moved.values() for e in decoded(body)) == before[1]
    assert await known(tenant) == before
    assert storage.objects(f"tenant={tenant.name}/") == moved, "a second night moves nothing"
