"""Budgets from a file: applied by request, or mounted; compared before they are set."""

import json
import logging
from datetime import datetime
from zoneinfo import ZoneInfo

import anyio
import pytest

from functions.ledger.budget_file import read
from functions.ledger.budget_mount import MountedBudgets
from shared.auth import ApiKey, ApiKeys, hash_key
from shared.metering import Denied, Settlement
from shared.usage import Usage

pytestmark = pytest.mark.anyio
RESERVED = 1000 * 150 + 500 * 600


def text(tenant, budgets="", **sections):
    lines = [f"version: 1\ntenants:\n  {tenant}:"]
    lines += [f"    {name}: {value}" for name, value in sections.items()]
    return "\n".join([*lines, "    budgets:", *(f"      - {b}" for b in budgets.splitlines())])


async def apply(ledger, document, *, dry_run=False):
    return await ledger.http.post(
        "/v1/budgets:apply", json={"text": document, "dry_run": dry_run},
        headers={"authorization": f"Bearer {ledger.api_key}"})


async def limits(ledger):
    found = await ledger.redis.hgetall(f"lg:{{{ledger.tenant}}}:lim")
    return {name: json.loads(value)["limit"] for name, value in found.items() if "|" in name}


def restricted(ledger, *rights):
    key = ApiKey(key_sha256=hash_key(ledger.api_key), tenant=ledger.tenant,
                 rights=frozenset(rights))
    ledger.parts.door._api_keys = ApiKeys((key,))


async def test_file_sets_limits_that_hold_at_once(ledger):
    answer = await apply(ledger, text(ledger.tenant, '{scope: tenant, window: day, usd: "0.0001"}'))

    assert [c["kind"] for c in answer.json()["changes"]] == ["added"]
    with pytest.raises(Denied) as denied:
        await ledger.meter.hold(ledger.call())
    assert denied.value.account.startswith(f"tenant|{ledger.tenant}|d|")
    assert denied.value.have == 100_000


async def test_same_file_again_changes_nothing(ledger):
    document = text(ledger.tenant, '{scope: tenant, usd: "1", tokens: 5, calls: 6}',
                    timezone="Asia/Tokyo")
    first = (await apply(ledger, document)).json()["changes"]
    before = await ledger.redis.hgetall(f"lg:{{{ledger.tenant}}}:lim")

    again = (await apply(ledger, document)).json()["changes"]

    assert (len(first), again) == (4, [])
    assert [c["after"]["policy"] for c in first if "|" in c["field"]] == ["deny"] * 3
    assert await ledger.redis.hgetall(f"lg:{{{ledger.tenant}}}:lim") == before


async def test_dry_run_says_what_would_change_and_changes_nothing(ledger):
    await ledger.budget(7)

    answer = await apply(ledger, text(ledger.tenant, "{scope: tenant, calls: 3, usd: 1}"),
                         dry_run=True)

    assert [(c["field"].rsplit("|", 1)[1], c["kind"]) for c in answer.json()["changes"]] == [
        ("usd", "changed"), ("calls", "added")]
    assert list((await limits(ledger)).values()) == [7]


async def test_malformed_file_changes_nothing_and_says_where(ledger):
    answer = await apply(ledger, text(
        ledger.tenant, "{scope: tenant, calls: 3}\n{scope: tenant, tokens: x}"))

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["path"] == (
        f"line 6, tenants.{ledger.tenant}.budgets[1].tokens")
    assert await limits(ledger) == {}


async def test_file_with_too_many_accounts_for_a_call_changes_nothing(ledger):
    lines = [f"{{scope: {scope}, id: {owner}, window: {window}, calls: 9}}"
             for scope, owner in (("agent", "a"), ("model", "scripted/x"), ("session", "s"))
             for window in ("hour", "week")]

    answer = await apply(ledger, text(ledger.tenant, "\n".join(lines)))

    assert answer.status_code == 422
    assert "accounts" in answer.json()["detail"]
    assert await limits(ledger) == {}


async def test_command_removes_no_budget(ledger):
    await ledger.budget(7, window="d")

    await apply(ledger, text(ledger.tenant, "{scope: tenant, calls: 3}"))

    assert len(await limits(ledger)) == 2


async def test_budget_that_matches_nothing_is_applied_with_a_warning(ledger):
    await ledger.meter.hold(ledger.call())

    answer = await apply(ledger, text(ledger.tenant, "\n".join((
        "{scope: agent, id: researcher, calls: 9}", "{scope: agent, id: resercher, calls: 9}",
        "{scope: model, id: openai/gpt-99, calls: 9}", "{scope: tool, id: readr, calls: 9}",
        "{scope: tool, id: reader, calls: 9}"))))

    assert [w.split(": ")[1].split()[1] for w in answer.json()["warnings"]] == [
        "resercher", "openai/gpt-99", "readr"]
    assert len(await limits(ledger)) == 5


async def test_own_price_that_is_stored_or_in_the_file_is_no_doubt(ledger):
    await ledger.meter.hold(ledger.call())
    budget = "{scope: model, id: openai/house, calls: 9}"
    price = '{usd_per_million: {input_uncached: "2.00", output_text: "8.00"}}'
    without, priced = text(ledger.tenant, budget), text(
        ledger.tenant, budget, prices=f"{{label: own-1, models: {{openai/house: {price}}}}}")

    told = [(await apply(ledger, document, dry_run=dry)).json()["warnings"]
            for document, dry in ((without, True), (priced, True), (without, True),
                                  (priced, False), (without, False))]

    assert list(map(len, told)) == [1, 0, 1, 0, 0]
    assert "openai/house has no price here" in told[0][0]


async def test_tenant_that_nobody_charged_is_a_warning_in_a_section_and_under_a_cap(ledger):
    await ledger.meter.hold(ledger.call())
    restricted(ledger, "budgets", "platform")
    names = ledger.tenant, f"{ledger.tenant}x", f"{ledger.tenant}y"
    cap = (f"\nplatform:\n  - {{cap: {names[2]}, calls: 9, chunk: 1, "
           f"tenants: [{names[0]}, {names[2]}]}}")

    mine, others = [(await apply(ledger, text(name, "{scope: agent, id: researcher, calls: 9}")
                                 + cap, dry_run=True)).json()["warnings"] for name in names[:2]]

    told = "tenant {} has never been charged: is it spelled right?".format
    assert mine == [told(names[2])]
    assert others == [told(names[1]), told(names[2])]


async def test_section_of_another_tenant_needs_the_right_platform(ledger):
    document = text(f"{ledger.tenant}x", "{scope: tenant, calls: 3}")

    refused = await apply(ledger, document)
    restricted(ledger, "budgets", "platform")
    allowed = await apply(ledger, document)

    assert (refused.status_code, allowed.status_code) == (403, 200)


async def test_key_without_the_right_budgets_applies_nothing(ledger):
    restricted(ledger, "costs")

    assert (await apply(ledger, text(ledger.tenant, "{scope: tenant, calls: 3}"))
            ).status_code == 403


async def test_two_files_applied_at_once_leave_one_of_them_whole(ledger):
    documents = [text(ledger.tenant, f"{{scope: tenant, usd: {n}, tokens: {n}, calls: {n}}}")
                 for n in range(1, 6)]

    async with anyio.create_task_group() as group:
        for document in documents:
            group.start_soon(apply, ledger, document)

    found = await limits(ledger)
    usd, tok, calls = (found[f"tenant|{ledger.tenant}|life|{u}"] for u in ("usd", "tok", "calls"))
    assert usd == tok * 10**9 == calls * 10**9


async def test_zone_of_a_tenant_names_its_windows(ledger):
    await apply(ledger, text(ledger.tenant, "{scope: tenant, window: hour, calls: 9}",
                             timezone="Asia/Kolkata"))
    await ledger.meter.hold(ledger.call())

    usage = await ledger.get(f"/v1/budgets/tenant/{ledger.tenant}/usage?window=h")

    assert usage["zone"] == "Asia/Kolkata"
    assert usage["units"]["calls"]["held"] == 1
    assert usage["window_ends"] % 3600 == 1800


async def test_threshold_fires_once_in_each_day_of_the_tenants_zone(ledger):
    zones = "Pacific/Kiritimati", "Pacific/Pago_Pago"  # 25 hours apart: never the same day
    days = []
    for zone in zones:
        await apply(ledger, text(ledger.tenant, "{scope: tenant, window: day, calls: 4, "
                                 "thresholds: [25, 50]}", timezone=zone))
        days.append({today(zone)})
        for _ in range(3):
            await ledger.meter.hold(ledger.call())
        days[-1].add(today(zone))  # midnight may have been meanwhile

    crossed = [e for e in await ledger.drained() if "threshold" in e.type]

    told = [(*e.json()["account"].rsplit("|", 2)[1:], e.json()["percent"]) for e in crossed]
    assert [(kind, percent) for kind, _, percent in told] == [("d", 25), ("d", 50)] * 2
    assert {told[0][1], told[1][1]} <= days[0]
    assert {told[2][1], told[3][1]} <= days[1]
    assert len({e.id for e in crossed}) == 4


def today(zone):
    return datetime.now(ZoneInfo(zone)).date().isoformat()


async def test_editing_by_file_keeps_what_was_spent(ledger):
    call = ledger.call()
    await ledger.meter.hold(call)
    await ledger.meter.settle(call.id, Settlement(usage=Usage(output_text=1)), grant=call.grant)
    before = await ledger.accounts()

    for usd in ("1", "0.000001"):
        await apply(ledger, text(ledger.tenant, f'{{scope: tenant, usd: "{usd}"}}'))

    assert await ledger.accounts() == before


@pytest.fixture
def mounted(ledger, tmp_path):
    path = tmp_path / "budgets.yaml"
    return path, MountedBudgets(str(path), ledger.parts.files)


async def test_mounted_file_is_applied_once_per_text(ledger, mounted):
    path, budgets = mounted
    path.write_text(text(ledger.tenant, "{scope: tenant, calls: 3}"))

    assert [await budgets.look(), await budgets.look()] == [True, False]
    path.write_text(text(ledger.tenant, "{scope: tenant, calls: 4}"))
    assert await budgets.look()

    assert list((await limits(ledger)).values()) == [4]


async def test_mounted_file_takes_away_what_it_made_and_nothing_else(ledger, mounted):
    path, budgets = mounted
    await ledger.budget(7, window="d")
    path.write_text(text(ledger.tenant, "{scope: tenant, calls: 3}\n{scope: tenant, usd: 1}"))
    await budgets.look()

    path.write_text("version: 1\n")
    await budgets.look()

    assert list((await limits(ledger)).values()) == [7]


async def test_mounted_file_that_is_missing_or_malformed_changes_nothing(ledger, mounted, caplog):
    path, budgets = mounted
    assert not await budgets.look()
    path.write_text(text(ledger.tenant, "{scope: tenant, calls: 3}"))
    await budgets.look()

    path.write_text("version: 1\ntenants: {x: {budgets: [{scope: none}]}}")
    with caplog.at_level(logging.ERROR):
        assert [await budgets.look(), await budgets.look()] == [False, False]

    assert list((await limits(ledger)).values()) == [3]
    assert len([r for r in caplog.records if r.levelno == logging.ERROR]) == 1
    assert "line 2, tenants.x.budgets[0].scope" in caplog.text


async def test_running_ledger_applies_the_mounted_file_by_itself(ledger, mounted):
    path, budgets = mounted
    ledger.parts.background._mounted = budgets
    path.write_text(text(ledger.tenant, "{scope: tenant, calls: 0}"))

    await ledger.http.post("/sweep")

    with pytest.raises(Denied):
        await ledger.meter.hold(ledger.call())


async def test_budget_set_by_hand_stays_the_files_own(ledger, mounted):
    path, budgets = mounted
    path.write_text(text(ledger.tenant, "{scope: tenant, usd: 1}"))
    await budgets.look()
    await ledger.budget(5)

    await ledger.parts.files.apply(read("version: 1"), origin="file")

    assert await limits(ledger) == {}


async def test_swap_of_fields_that_others_changed_changes_none_of_them(ledger):
    key = f"lg:{{{ledger.tenant}}}:lim"
    await ledger.redis.hset(key, mapping={"a": "1", "b": "2"})
    swap = ledger.parts.budgets._store.scripts["budget"]

    refused = await swap(ledger.redis, [key], ["a", "1", "9", "b", "old", "9"])
    done = await swap(ledger.redis, [key], ["a", "1", "", "b", "2", "9", "c", "", "9"])

    assert (refused, done) == (0, 1)
    assert await ledger.redis.hgetall(key) == {"b": "9", "c": "9", "version": "1"}
