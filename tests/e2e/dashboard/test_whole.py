"""The pages of a whole system in a real browser: every figure is the ledger's, or the API's."""

import asyncio
import re
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from pydantic import SecretStr

from eventing.local.disturbance import Drop
from shared.auth import Grant, TaskLimits, sign
from shared.metering import Attribution, Call, Meter
from tests.e2e.dashboard.test_pages import cells, chromium, nano, ready
from tests.system import GRANT_KEY, until

pytestmark = pytest.mark.anyio
TODAY = datetime.now(UTC).date()
SPAN = f"from={TODAY - timedelta(1)}&to={TODAY + timedelta(1)}"
WHY = Attribution(step=1, attempt=1, agent_version="1.0.0", env="test",
                  trigger_source="/gateway", trigger_id="e-1")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    driver = chromium(tmp_path_factory.mktemp("profile"))
    yield driver
    driver.quit()


def held(system, tenant, name):
    """Hold money for a call that nobody ends; return the coroutine."""
    grant = sign(Grant(tenant=tenant.name, agent="absent", session="s", root=name,
                       limits=TaskLimits(task=name, usd=10**9, tok=10**6),
                       exp=int(time.time()) + 600), SecretStr(GRANT_KEY))
    meter = Meter(system.addresses["ledger"], system.http)
    return meter.hold(Call(
        id=f"{tenant.name}-{name}", grant=grant, holder=1, lease_s=300, attribution=WHY, kind="llm",
        model="scripted/default", input_tokens_max=1000, output_tokens_max=500), dispatch=True)


async def set_budget(tenant, owner, **fields):
    answer = await tenant.ask("PUT", f"/v1/budgets/{owner}", at="ledger", json=fields)
    assert answer.is_success, answer.text


@pytest.fixture
async def spent(system, tenant):
    """A tenant with spending, a gap, a forfeit, an open hold and a denial; and its task."""
    await set_budget(tenant, f"tenant/{tenant.name}", unit="usd", window="m", limit=10**12)
    await set_budget(tenant, f"tenant/{tenant.name}", unit="tok", window="d", limit=10**9)
    task = (await tenant.ran("spend all 00"))["id"]
    await tenant.books()
    system.disturb(drop=Drop("dev.tollgate.ledger.attributed.v1"))
    await tenant.ran("plain")
    await until(lambda: system.runtime.disturbance.dropped)
    system.disturb()
    await tenant.ran("spend all 01")
    await held(system, tenant, "lost")
    await system.lapse_holds(tenant)
    await tenant.ask("POST", "/sweep", at="ledger")
    await held(system, tenant, "open")
    await set_budget(tenant, "agent/prober", unit="usd", window="life", limit=1)
    await tenant.wait(await tenant.submit("plain"))

    async def is_seen():
        now = await tenant.got("/v1/now", at="costs")
        return now["forfeits"] == now["gaps"] == 1 and now["denials"]

    await until(is_seen, what="costs have every event but the lost one")
    yield task
    answer = await tenant.ask("POST", "/v1/gaps/fill", at="costs")
    assert answer.json()["gapless"], "what was lost is there again"


async def opened(browser, tenant, path):
    """Open a page as the tenant; the loop goes on meanwhile, as it serves the system."""
    key = tenant.headers["authorization"].removeprefix("Bearer ")
    url = tenant.system.addresses["costs"]
    await asyncio.to_thread(browser.get, f"{url}{path}{'&' if '?' in path else '?'}key={key}")
    await asyncio.to_thread(ready, browser)


PACES = "#pace, #table-budgets td:nth-child(8)"
"""Money per hour: it depends on the second."""


def money(browser):
    """Every figure of money on the page: what is written, and what it stands for."""
    return browser.execute_script(
        "return [...document.querySelectorAll('data')].filter((each) => /\\$/.test("
        "each.textContent) && !each.closest(arguments[0])).map((each) =>"
        " [each.textContent.trim(), each.value, each.closest('[id]').id])", PACES)


def integers(answer):
    """Every amount in an answer, however deep."""
    if isinstance(answer, dict | list):
        for value in answer.values() if isinstance(answer, dict) else answer:
            yield from integers(value)
    elif isinstance(answer, int) and not isinstance(answer, bool):
        yield answer
    elif isinstance(answer, str) and re.fullmatch(r"-?\d+\.\d+", answer):
        yield Decimal(answer)


async def said(tenant, task):
    """Every amount that the ledger and the API of costs say."""
    measures = ("cost_nano,failed_nano,retried_nano,unattributed_nano,reserved_nano,overrun_nano,"
                "cache_saved_nano,unreserved_nano")
    asked = [("ledger", "/v1/summary"), ("ledger", "/v1/budgets"), ("costs", "/v1/now"),
             ("costs", "/v1/denials"), ("costs", f"/v1/costs/tasks/{task}"),
             ("costs", f"/v1/tasks?{SPAN}&limit=200"), ("costs", f"/v1/unit-costs?{SPAN}"),
             ("costs", f"/v1/reconcile?{SPAN}"), ("costs", f"/v1/trust?{SPAN}"),
             ("costs", f"/v1/trust/days?{SPAN}"), ("costs", "/v1/corrections"),
             *(("costs", f"/v1/costs?group_by={by}&{SPAN}&measures={measures}")
               for by in ("agent", "hour,agent", "hour", "model", "tool", "outcome"))]
    return {amount for at, path in asked for amount in integers(await tenant.got(path, at=at))}


async def test_every_figure_of_money_is_the_ledgers_or_the_apis(whole, spent, tenant):
    known, shown = await said(tenant, spent), {}

    for path in ("/", f"/spend?{SPAN}", f"/efficiency?{SPAN}", f"/trust?{SPAN}&compare=1",
                 f"/tasks/{spent}"):
        await opened(whole, tenant, path)
        shown[path] = await asyncio.to_thread(money, whole)

    assert all(len(figures) > 2 for figures in shown.values()), shown
    for path, figures in shown.items():
        for text, value, where in figures:
            exact = Decimal(text.replace("$", "").replace(",", "").replace("−", "-")) * 10**9
            assert exact == Decimal(value), f"{text} in {where} of {path} is not {value}"
            assert Decimal(value) in known, f"{text} in {where} of {path} is said nowhere else"


async def test_now_is_what_the_ledger_says_of_budgets_holds_and_what_was_lost(
        whole, spent, tenant):
    books = (await tenant.got("/v1/budgets", at="ledger"))["budgets"]
    summary = await tenant.summary()

    await opened(whole, tenant, "/")

    rows = await asyncio.to_thread(cells, whole, "table-budgets")
    assert len(rows) == len(books) == 3
    figures = [await asyncio.to_thread(
        nano, whole, f"#table-budgets tbody tr:nth-child({n + 1}) td") for n in range(3)]
    assert [one[:4] for one in figures] == [
        [budget[name] for name in ("posted", "held", "free", "limit")] for budget in books]
    assert all(b["posted"] + b["held"] + b["free"] == b["limit"] for b in books if b["free"])
    assert await asyncio.to_thread(nano, whole, "#holds") == [summary["pending"]] == [1]
    assert await asyncio.to_thread(nano, whole, "#forfeits") == [1]
    reasons = await asyncio.to_thread(cells, whole, "table-reasons")
    assert [(row[0], row[1], row[2]) for row in reasons] == [("spent", "agent", "prober")]
    assert await asyncio.to_thread(nano, whole, "#denied") == [int(reasons[0][3])]
    gaps = await asyncio.to_thread(cells, whole, "table-gaps")
    assert gaps[0][5].isdecimal(), "one number is missing"
    assert "incomplete" in await asyncio.to_thread(
        whole.execute_script, "return document.getElementById('gapless').textContent")
