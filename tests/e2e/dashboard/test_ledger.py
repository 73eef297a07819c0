"""A whole system: what its pages show is what its ledger posted, for whoever it belongs to."""

import re
from datetime import UTC, datetime, timedelta

import pytest

pytestmark = pytest.mark.anyio


async def page(tenant, path):
    answer = await tenant.ask("GET", path, at="costs")
    assert answer.status_code == 200, answer.text
    return answer.text


def card(html, name):
    """The exact amount of a card."""
    return int(re.search(rf'id="{name}"><data value="(-?\d+)"', html).group(1))


async def test_pages_show_what_the_ledger_posted_and_to_nobody_else(system, tenant):
    other = system.tenant()
    task = (await tenant.ran("spend all 00"))["id"]
    await tenant.ran("spend all 01")
    summary, _ = await tenant.books()

    spend, now = await page(tenant, "/spend?all=1"), await page(tenant, "/")
    of_task = await page(tenant, f"/tasks/{task}")

    assert summary["posted_nano"] > 0
    assert card(spend, "total") == card(now, "today") == summary["posted_nano"]
    assert card(of_task, "total") == (await tenant.invocations(task))["total_nano"]
    assert card(await page(other, "/spend?all=1"), "total") == 0
    assert (await other.ask("GET", f"/tasks/{task}", at="costs")).status_code == 404
    assert task not in await page(other, "/")


async def test_all_sources_agree_on_the_page_of_trust(tenant):
    await tenant.ran("spend all 00")
    summary, _ = await tenant.books()

    trust = await page(tenant, "/trust?all=1&compare=1")

    assert "✓ all agree" in trust
    row = re.search(r'Ledger: what it posted\s*</th><td class="n"><data value="(\d+)"', trust)
    assert int(row.group(1)) == summary["posted_nano"]


async def test_ledgers_days_equal_the_events_on_the_page_of_trust(tenant):
    await tenant.ran("spend all 00")
    summary, _ = await tenant.books()
    today = datetime.now(UTC).date()
    span = f"from={today - timedelta(1)}&to={today + timedelta(1)}"

    trust = await page(tenant, f"/trust?{span}&compare=1")

    table = trust[trust.index('id="table-by-day"'):].partition("</table>")[0]
    assert "Day (UTC)" in table
    assert ">agrees" in table
    assert "differs" not in table
    amounts = [int(n) for n in re.findall(r'<data value="(-?\d+)"', table)]
    assert sum(amounts[0::5]) == sum(amounts[1::5]) == summary["posted_nano"]
    assert set(amounts[2::5]) == {0}


async def test_budget_is_a_gauge_with_what_is_left(tenant):
    await tenant.ran("spend all 00")
    await tenant.books()
    posted, limit = (await tenant.summary())["posted_nano"], 10**15
    await tenant.ask("PUT", f"/v1/budgets/tenant/{tenant.name}", at="ledger",
                     json={"unit": "usd", "window": "life", "limit": limit})

    now = await page(tenant, "/")

    table = now[now.index('id="table-budgets"'):]
    amounts = [int(n) for n in re.findall(r'<data value="(\d+)"', table)[:4]]
    assert amounts[2:] == [limit - amounts[0] - amounts[1], limit]
    assert amounts[0] in (0, posted)
    assert 'role="img" aria-label="$' in table
