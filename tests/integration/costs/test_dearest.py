"""Tasks and sessions ranked and counted from the lists of days, against reading everything."""

import random

import pytest

from functions.costs.questions.question import ask
from functions.costs.questions.report import grouped
from functions.costs.sums import places
from functions.costs.sums.dear import Days
from shared.errors import Permanent

pytestmark = pytest.mark.anyio
ALL_DAYS = [f"2026-11-{day}" for day in range(16, 22)]


async def spread(store, ledger, seed, count=160):
    """Store calls of tasks on one day and on several, with costs that tie and outweigh others."""
    chance = random.Random(seed)
    for n in range(count):
        task = chance.randrange(50)
        first = 16 + task % 6
        day = first if task % 5 else 16 + chance.randrange(6)
        await store.store(ledger.attributed(
            f"r-{n}", cost=chance.randrange(1, 50), task=f"t-{task}", session=f"s-{task % 20}",
            agent=f"a-{task % 3}", model=chance.choice(["small", "large"]),
            at=f"2026-11-{day}T{chance.randrange(24):02}:10:00Z"))


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("by", ["task,agent,session,root", "session"])
@pytest.mark.parametrize("asked", [
    {}, {"from": "2026-11-17", "to": "2026-11-20"}, {"agent": "a-1"}, {"model": "scripted/large"},
    {"agent": "a-2", "model": "scripted/small", "from": "2026-11-18"}, {"session": "s-7"}],
    ids=lambda asked: "-".join(asked) or "all")
async def test_dearest_are_those_of_everything_read_and_sorted(
        store, ledger, monkeypatch, seed, by, asked):
    monkeypatch.setattr("functions.costs.sums.dear.FIRST_READ", 3)
    await spread(store, ledger, seed)
    question = ask({"group_by": by, "limit": "10", **asked})

    found = await store.dearest(ledger.tenant, question)

    everything = grouped(question, await store.rows(ledger.tenant, question))
    assert len(found) == min(10, len(everything))
    assert [r.sums.cost_nano for r in found] == [r.sums.cost_nano for r in everything[:10]]
    costs = {tuple(r.of[d] for d in question.group_by): r.sums for r in everything}
    assert all(costs[tuple(r.of[d] for d in question.group_by)] == r.sums for r in found)


@pytest.mark.parametrize("days", [ALL_DAYS, ALL_DAYS[1:3], ALL_DAYS[4:], []], ids=len)
@pytest.mark.parametrize("agent", [None, "a-1"])
async def test_counts_have_everything_once(store, ledger, days, agent):
    await spread(store, ledger, 9)
    filters = {"agent": agent} if agent else {}
    rows = [] if not days else await store.rows(ledger.tenant, ask({
        "group_by": "task,session", "from": days[0], "to": f"2026-11-{int(days[-1][8:]) + 1}",
        **filters}))

    for what, dimension in (("place", "task"), ("session", "session")):
        of = Days(ledger.tenant, what, days, agent)
        assert await store.places.dear.count(of) == len({row.of[dimension] for row in rows})


async def test_rare_filter_that_needs_too_many_tasks_is_refused(store, ledger, monkeypatch):
    await spread(store, ledger, 1)
    monkeypatch.setattr(places, "COST_PLACES_MAX", 20)

    with pytest.raises(Permanent, match="narrow from and to"):
        await store.dearest(ledger.tenant, ask(
            {"group_by": "task", "limit": "5", "outcome": "forfeited"}))
    assert len(await store.dearest(ledger.tenant, ask({"group_by": "task", "limit": "5"}))) == 5


async def test_more_tasks_than_can_be_read_are_the_dearest_with_the_total_of_all(
        http, store, ledger, monkeypatch):
    await spread(store, ledger, 3)
    everything = {by: (await http.get(f"/v1/costs?group_by={by}")).json()
                  for by in ("session", "task")}
    monkeypatch.setattr(places, "COST_PLACES_MAX", 25)
    monkeypatch.setattr("functions.costs.store.store.RANKED_MAX", 3)

    for by, whole in everything.items():
        found = (await http.get(f"/v1/costs?group_by={by}")).json()

        assert found["truncated"]
        assert found["total_nano"] == whole["total_nano"] > 0
        assert [r["cost_nano"] for r in found["rows"]] == [
            r["cost_nano"] for r in whole["rows"][:3]]
    for asked in ("group_by=task,day", "group_by=task&order=task", "group_by=root",
                  "group_by=task&from=2026-11-17T05:00:00Z"):
        assert (await http.get(f"/v1/costs?{asked}")).status_code == 422
