"""Who may ask about whom, what a question must not be, and what too many values come to."""

import json

import pytest

from functions.costs.questions.question import ask
from functions.costs.questions.report import grouped
from functions.costs.store import storing
from functions.costs.store.store import CostStore
from shared.auth import hash_key

pytestmark = pytest.mark.anyio
PLATFORM, ADMIN = ({"authorization": f"Bearer tg_{name}"} for name in ("all", "admin"))


@pytest.fixture
def settings(settings, ledger):
    keys = json.loads(settings.api_keys.read_text())
    for name, rights in (("all", ["costs", "platform"]), ("admin", ["costs", "admin"])):
        keys.append({"key_sha256": hash_key(f"tg_{name}"), "tenant": ledger.tenant,
                     "rights": rights})
    settings.api_keys.write_text(json.dumps(keys))
    return settings


async def test_all_tenants_together_are_for_the_platform_alone(http, store, ledger):
    other = type(ledger)(tenant=f"{ledger.tenant}-other")
    for one, cost in ((ledger, 5), (other, 7)):
        await store.store(one.attributed("r-1", cost=cost))

    together = await http.get("/v1/costs?tenant=*&group_by=tenant", headers=PLATFORM)
    one = await http.get(f"/v1/costs?tenant={other.tenant}", headers=PLATFORM)
    refused = [await http.get(f"/v1/costs?tenant={name}&group_by=tenant", headers=headers)
               for name in ("*", other.tenant) for headers in (ADMIN, {})]

    costs = {row["tenant"]: row["cost_nano"] for row in together.json()["rows"]}
    assert (costs[ledger.tenant], costs[other.tenant]) == (5, 7)
    assert together.json()["total_nano"] == sum(costs.values())
    assert one.json()["total_nano"] == 7
    assert {answer.status_code for answer in refused} == {403}


@pytest.mark.parametrize("path", ["/v1/gaps?tenant=*", "/v1/denials?tenant=*", "/?tenant=*",
                                  "/v1/costs?tenant=no}tenant", "/v1/costs?tenant="])
async def test_name_of_no_tenant_is_refused_where_it_would_be_a_tenant_without_costs(http, path):
    answer = await http.get(path, headers=PLATFORM)

    assert answer.status_code == 422
    assert "tenant" in answer.text


SPANNED = ("/v1/costs", "/v1/tasks", "/v1/unit-costs", "/v1/unattributed", "/v1/reconcile",
           "/v1/events", "/v1/denials?group_by=reason", "/v1/trust/days", "/spend", "/efficiency",
           "/trust", "/csv/spend/over-time")


@pytest.mark.parametrize("path", SPANNED)
@pytest.mark.parametrize(("span", "named"), [
    ("from=2026-11-21&to=2026-11-20", "not after"), ("from=2026-11-21&to=2026-11-21", "not after"),
    ("from=yesterday", "neither a UTC day"), ("to=2026-13-01", "neither a UTC day"),
    ("from=2026-11-21T10:00:00", "neither a UTC day")])
async def test_span_that_is_none_is_refused_and_named(http, path, span, named):
    answer = await http.get(f"{path}{'&' if '?' in path else '?'}{span}")

    assert answer.status_code == 422, answer.text
    assert named in answer.text


async def test_tags_group_and_filter_and_add_up(redis, ledger):
    store = CostStore(redis, tag_keys=["team"])
    for n, tags in enumerate(({"team": "a"}, {"team": "b", "free": "text"}, {"free": "x"}, {})):
        await store.store(tagged(ledger.attributed(f"r-{n}", cost=10**n), tags))

    def told(rows):
        return {row.of.get("tag.team"): row.sums.cost_nano for row in rows}

    question = ask({"group_by": "tag.team"})
    assert told(grouped(question, await store.rows(ledger.tenant, question))) == {
        "a": 1, "b": 10, None: 1100}
    filtered = ask({"group_by": "agent", "tag.team": "b"})
    assert [row.sums.cost_nano for row in await store.rows(ledger.tenant, filtered)] == [10]
    unkept = ask({"group_by": "tag.free"})
    assert {row.of["tag.free"] for row in await store.rows(ledger.tenant, unkept)} == {None}


def tagged(event, tags):
    from dataclasses import replace

    return replace(event, data=json.dumps(event.json() | {"tags": tags}).encode())


async def test_too_many_values_are_other_and_no_sum_changes(redis, ledger, monkeypatch):
    monkeypatch.setattr(storing, "COST_ROWS_MAX", 5)
    store = CostStore(redis, tag_keys=["team"])
    events = [tagged(ledger.attributed(f"r-{n}", cost=2**n, agent=f"a-{n % 20}"),
                     {"team": f"t-{n}"}) for n in range(40)]
    for event in events:
        await store.store(event)

    answers = {}
    for by in ("agent", "agent_version", "tag.team", "model", "kind", "outcome"):
        rows = await store.rows(ledger.tenant, ask({"group_by": by}))
        assert sum(row.sums.cost_nano for row in rows) == 2**40 - 1, by
        answers[by] = {row.of[by] for row in rows}
    assert answers["tag.team"] == {*(f"t-{n}" for n in range(5)), "(other)"}
    assert answers["agent_version"] == {"1.0.0", "(other)"}
    assert answers["agent"] == {*(f"a-{n}" for n in range(10)), "(other)"}
    assert (answers["kind"], answers["outcome"]) == ({"llm"}, {"settled"})
    assert await redis.hlen(f"co:{{{ledger.tenant}}}:rows") <= 2 * 5 + 2
