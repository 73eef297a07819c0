"""What accounting takes away, and that all sources of figures agree."""

import asyncio
import csv
import json
from decimal import Decimal

import pytest
from typer.testing import CliRunner

from eventing.cli.exits import Failure
from eventing.cli.main import app
from eventing.focus.check import check
from eventing.focus.columns import NAMES
from eventing.focus.files import checked_file
from functions.costs.export import charging
from functions.costs.questions.ranges import Span
from functions.costs.store.spans import between
from functions.costs.turns import EVENTS_AT_ONCE
from tests.integration.costs.conftest import KEY, encode_binary

pytestmark = pytest.mark.anyio
MONTH = "2026-11"


async def deliver(http, *events):
    for event in events:
        headers, body = encode_binary(event)
        assert (await http.post("/", headers=headers, content=body)).status_code == 204


def some(ledger):
    return [ledger.attributed("r-1", cost=15_001), ledger.adjusted("r-1", delta=-301),
            ledger.attributed("r-2", cost=7, tool="calculator", at="2026-11-21T03:00:00Z"),
            ledger.attributed("r-3", cost=9, at="2026-10-31T23:59:59Z"), ledger.denied("r-4")]


@pytest.mark.parametrize("form", ["csv", "parquet"])
async def test_focus_file_of_a_month_adds_up_to_its_costs(http, ledger, tmp_path, form):
    await deliver(http, *some(ledger))

    answer = await http.get(f"/v1/export/focus?month={MONTH}&format={form}")

    file = tmp_path / f"focus.{form}"
    file.write_bytes(answer.content)
    report = checked_file(file)
    total = (await http.get("/v1/costs?from=2026-11-01&to=2026-12-01")).json()["total_nano"]
    assert (report.faults, report.billed * 10**9) == ([], total)
    assert total == 15_001 - 301 + 7


@pytest.mark.parametrize("path", ["export/focus?month=2026-11", "export/invoice?month=2026-11",
                                  "trust?from=2026-11-01&to=2026-12-01", "reconcile"])
async def test_day_of_ever_new_tags_comes_in_parts_that_say_the_same(
        http, ledger, monkeypatch, path):
    await deliver(http, *(ledger.attributed(f"r-{n}", cost=15_001 + n % 3, model="ab"[n % 2])
                          for n in range(12)))
    whole = await http.get(f"/v1/{path}")
    monkeypatch.setattr(charging, "CHARGES_AT_ONCE", 3)

    parts = await http.get(f"/v1/{path}")

    if "focus" in path:
        assert len(parts.text.splitlines()) > len(whole.text.splitlines())
        assert billed(parts.text) == billed(whole.text) == sum(15_001 + n % 3 for n in range(12))
    else:
        assert parts.json() == whole.json()


def billed(text):
    rows = csv.DictReader(text.splitlines())
    return sum(Decimal(row["BilledCost"]) for row in rows) * 10**9


async def test_who_reads_many_events_lets_others_have_their_turn(store, ledger):
    for n in range(3 * EVENTS_AT_ONCE):
        await store.store(ledger.attributed(f"r-{n}"))
    counted, at_once = 0, []

    async def others():
        before = 0
        while True:
            at_once.append(counted - before)
            before = counted
            await asyncio.sleep(0)

    waiting = asyncio.create_task(others())
    async for _ in between(store, ledger.tenant, Span()):
        counted += 1
    waiting.cancel()

    assert (counted, max(at_once)) == (3 * EVENTS_AT_ONCE, EVENTS_AT_ONCE)


async def test_month_without_costs_is_a_table_without_rows(http):
    answer = await http.get("/v1/export/focus?month=2026-01")

    assert answer.text.splitlines() == [",".join(NAMES)]
    assert check(NAMES, []).faults == []


async def test_invoice_and_events_say_the_same(http, ledger):
    await deliver(http, *some(ledger))

    invoice = (await http.get(f"/v1/export/invoice?month={MONTH}")).json()
    lines = (await http.get("/v1/events?from=2026-11-01&to=2026-12-01")).text.splitlines()

    assert invoice["total_nano"] == 15_001 - 301 + 7
    assert sorted(json.loads(line)["id"] for line in lines) == [
        "r-1", "r-1:adj:1", "r-2", "r-4:denied"]


@pytest.mark.parametrize(("path", "named"), [
    ("export/focus", "is no month"), ("export/focus?month=2026-13", "is no month"),
    ("export/focus?month=11/2026", "is no month"), ("export/focus?month=2999-01", "not begun"),
    ("export/focus?month=2026-10&format=xls", "none of csv"),
    ("export/invoice?month=x", "is no month"), ("export/invoice?month=2026-10&format=pdf", "none"),
    ("events?from=2026-11-02&to=2026-11-01", "is not after"), ("events", "name the task"),
    ("reconcile?from=2026-11-02&to=2026-11-01", "is not after"),
])
async def test_bad_question_about_an_export_is_refused_by_name(http, path, named):
    answer = await http.get(f"/v1/{path}")

    assert answer.status_code == 422
    assert named in answer.json()["detail"]


@pytest.mark.parametrize("path", ["export/focus?month=2026-11", "export/invoice?month=2026-11",
                                  "events?from=2026-11-01&to=2026-11-02", "reconcile", "tasks",
                                  "unit-costs", "unattributed", "corrections", "now", "live"])
async def test_nobody_takes_away_another_tenants_figures(http, path):
    joint = "&" if "?" in path else "?"

    assert (await http.get(f"/v1/{path}{joint}tenant=other")).status_code == 403


async def test_tasks_come_dearest_first_over_many_days(http, ledger):
    await deliver(http, *(ledger.attributed(
        f"r-{n}", cost=100 + n, task=f"t-{n % 30}", agent="ab"[n % 2],
        at=f"2026-11-{1 + n % 20:02}T10:00:00Z") for n in range(90)))

    top = (await http.get("/v1/tasks?limit=5")).json()["tasks"]
    of_a = (await http.get("/v1/tasks?limit=2&agent=a&from=2026-11-01&to=2026-12-01")).json()

    assert [t["task"] for t in top] == ["t-29", "t-28", "t-27", "t-26", "t-25"]
    assert top[0]["cost_nano"] == sum(100 + n for n in (29, 59, 89))
    assert [t["task"] for t in of_a["tasks"]] == ["t-28", "t-26"]


async def test_unattributed_costs_are_a_figure_also_when_there_are_none(http, ledger):
    await deliver(http, ledger.attributed("r-1", cost=5))
    before = (await http.get("/v1/unattributed")).json()["unattributed_nano"]

    await deliver(http, ledger.attributed("r-2", cost=7, task=""))

    assert (before, (await http.get("/v1/unattributed")).json()["unattributed_nano"]) == (0, 7)


async def test_unit_costs_divide_by_tasks_and_sessions(http, ledger):
    await deliver(http, ledger.attributed("r-1", cost=5, task="a"),
                  ledger.attributed("r-2", cost=8, task="b", session="s-2"))

    found = (await http.get("/v1/unit-costs")).json()

    assert (found["tasks"], found["sessions"], found["per_task_nano"]) == (2, 2, 6)


async def test_denials_are_counted_by_reason(http, ledger):
    await deliver(http, ledger.denied("r-1"), ledger.denied("r-2"),
                  ledger.denied("r-3", reason="stopped"))

    rows = (await http.get("/v1/denials?group_by=reason,scope")).json()["rows"]

    assert rows == [{"reason": "spent", "scope": "task", "denials": 2},
                    {"reason": "stopped", "scope": "task", "denials": 1}]


async def test_ledger_that_is_away_is_unknown_and_nothing_agrees(http, ledger):
    await deliver(http, *some(ledger))

    found = (await http.get("/v1/reconcile")).json()

    assert found["sources"]["costs"] == found["sources"]["events"] == found["sources"]["focus"]
    assert (found["unknown"], found["agrees"]) == (["ledger", "outbox"], False)


def test_command_writes_a_checked_file_or_none(started, ledger, tmp_path, monkeypatch):
    process = started()
    for event in some(ledger):
        process.deliver(event)
    monkeypatch.setenv("TOLLGATE_COSTS", process.url)
    monkeypatch.setenv("TOLLGATE_API_KEY", KEY)
    out = tmp_path / "focus.parquet"

    done = CliRunner().invoke(app, ["export", "focus", "--month", MONTH, "--format", "parquet",
                                    "--out", str(out)])
    bad = CliRunner().invoke(app, ["export", "focus", "--month", "2026-13", "--out",
                                   str(tmp_path / "other.csv")])

    assert done.exit_code == 0, done.output
    assert "every rule" in done.output
    assert isinstance(bad.exception, Failure)
    assert [file.name for file in tmp_path.iterdir() if "focus" in file.name] == [out.name]
    assert not (tmp_path / "other.csv").exists()
