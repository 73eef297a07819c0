"""What the real ledger posted to each day, beside what its events say."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from functions.costs.archive.archive import Archive, move_due
from functions.costs.events.facts import read
from functions.costs.store.store import CostStore
from functions.costs.trust.by_day import Days
from functions.costs.trust.ledger import LedgerEvents
from functions.ledger import keys
from shared.errors import Permanent
from tests.integration.costs.conftest import ledger_events
from tests.integration.costs.test_with_ledger import desk, spend

__all__ = ["desk"]
pytestmark = pytest.mark.anyio
TODAY = datetime.now(UTC).date()
AROUND = TODAY - timedelta(2), TODAY + timedelta(1)


async def compared(desk, store, first=AROUND[0], last=AROUND[1], tenant=None):
    days = Days(store, LedgerEvents("http://ledger", desk.http), tenant or desk.tenant, "Bearer tg")
    return await days.report(first, last)


async def delivered(desk, store, *lost):
    await desk.parts.outbox.drain(desk.tenant)
    for event in desk.broker.events:
        if event not in lost:
            await store.store(event)


async def test_days_of_ledger_and_events_are_equal_whatever_a_call_came_to(desk, store):
    await spend(desk)
    await delivered(desk, store)

    found = await compared(desk, store)

    assert sum(row["ledger_nano"] for row in found["rows"]) == \
        (await desk.summary())["posted_nano"] > 0
    assert [row["difference_nano"] for row in found["rows"]] == [0] * len(found["rows"])
    assert (found["agrees"], found["zone"]) == (True, "UTC")


async def test_event_that_is_missing_is_a_difference_of_its_day(desk, store):
    await spend(desk)
    await desk.parts.outbox.drain(desk.tenant)
    lost = next(e for e in desk.broker.events if read(e).sums.cost_nano > 0)
    await delivered(desk, store, lost)

    found = await compared(desk, store)

    wrong = [row["difference_nano"] for row in found["rows"] if not row["agrees"]]
    assert (wrong, found["agrees"]) == ([-read(lost).sums.cost_nano], False)


async def test_balance_that_somebody_changed_is_a_difference(desk, store, redis):
    await spend(desk)
    await delivered(desk, store)
    (row, *_) = (await compared(desk, store))["rows"]
    account = keys.account(desk.tenant, f"tenant|{desk.tenant}|d|{row['day']}")

    await redis.hincrby(account, "usd.pst", 1)

    assert (await compared(desk, store))["rows"][0]["difference_nano"] == -1


async def test_day_is_the_one_that_was_charged_in_the_tenants_zone(store, desk, redis):
    kept = ledger_events.Ledger(tenant=desk.tenant)
    event = kept.attributed("r-1", cost=1500, at=f"{TODAY}T00:30:00Z")
    before = TODAY - timedelta(1)
    charged = event.data.replace(b"d|2026-11-20", f"d|{before}".encode())
    await store.store(replace(event, data=charged))
    await redis.hset(keys.limits(desk.tenant), "zone", "America/New_York")
    await redis.hset(keys.account(desk.tenant, f"tenant|{desk.tenant}|d|{before}"),
                     mapping={"usd.pst": 1500, "tok.pst": 120})

    found = await compared(desk, store)

    assert found["zone"] == "America/New_York"
    assert [(row["day"], row["events_nano"], row["agrees"]) for row in found["rows"]] == [
        (before.isoformat(), 1500, True)]


class Drawer:
    """Object storage in memory."""

    def __init__(self):
        self._kept = {}

    async def put(self, name, data):
        self._kept[name] = data

    async def get(self, name):
        return self._kept[name]


@pytest.mark.parametrize("moved", [[], ["call"], ["call", "correction"]], ids=str)
async def test_correction_counts_for_the_day_of_its_call_wherever_both_are_kept(
        desk, redis, moved):
    archive = Archive(redis, Drawer())
    store, kept = CostStore(redis, archive=archive), ledger_events.Ledger(tenant=desk.tenant)
    days = {"call": TODAY - timedelta(20), "correction": TODAY - timedelta(10)}
    account = f"tenant|{desk.tenant}|d|{days['call']}"
    call = kept.attributed("r-1", cost=1500, at=f"{days['call']}T10:00:00Z")
    fix = kept.adjusted("r-1", delta=-300, at=f"{days['correction']}T10:00:00Z")
    for event in (call, fix):
        data = event.json()
        data["ledger"]["accounts"] = [account]
        await store.store(replace(event, data=json.dumps(data).encode()))
    await redis.hset(keys.account(desk.tenant, account),
                     mapping={"usd.pst": 1200, "tok.pst": 120})

    await move_due(archive, store, desk.tenant, [days[one].isoformat() for one in moved])
    found = await compared(desk, store, days["call"], days["call"])

    assert [(row["ledger_nano"], row["events_nano"], row["agrees"])
            for row in found["rows"]] == [(1200, 1200, True)]


async def test_days_that_the_ledger_forgot_are_not_said_to_agree(desk, store):
    kept = ledger_events.Ledger(tenant=desk.tenant)
    await store.store(kept.attributed("r-1", cost=1500, at="2020-01-01T10:00:00Z"))
    event = kept.attributed("r-2", cost=7, at="2020-01-02T10:00:00Z")
    charged = event.data.replace(b"d|2026-11-20", b"d|2020-01-02")
    await store.store(replace(event, data=charged))

    found = await compared(desk, store, date(2020, 1, 1), date(2020, 1, 3))

    assert [(row["day"], row["ledger_nano"], row["events_nano"], row["agrees"])
            for row in found["rows"]] == [("2020-01-02", None, 7, None)]


async def test_ledger_of_another_tenant_is_not_compared(desk, store):
    with pytest.raises(Permanent, match="own tenant"):
        await compared(desk, store, tenant="another")


@pytest.mark.parametrize(("asked", "said"), [
    ({}, "is no day"), ({"from": "2026-11-01", "to": "soon"}, "is no day"),
    ({"from": "2026-11-02", "to": "2026-11-01"}, "are not 1 to 62 days"),
    ({"from": "2026-01-01", "to": "2026-11-01"}, "are not 1 to 62 days")],
    ids=["none", "no-day", "upside-down", "too-long"])
async def test_ledger_refuses_days_that_are_none(desk, asked, said):
    answer = await desk.http.get("http://ledger/v1/days", params=asked,
                                 headers={"authorization": "Bearer tg"})

    assert answer.status_code == 422
    assert said in answer.json()["detail"]


async def test_days_of_the_ledger_need_a_key(desk):
    asked = {"from": TODAY.isoformat(), "to": TODAY.isoformat()}

    assert (await desk.http.get("http://ledger/v1/days", params=asked)).status_code == 401


async def test_ledger_away_is_said_and_no_figure_made_up(http):
    answer = await http.get("/v1/trust/days?from=2026-11-20&to=2026-11-21")

    assert (answer.status_code, "ledger" in answer.json()["detail"]) == (503, True)
