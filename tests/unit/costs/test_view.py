import pytest

from functions.costs import view
from functions.costs.report import Row, Sums
from functions.costs.timeline import timeline


@pytest.mark.parametrize(("nano", "text"), [
    (0, "$0.00"), (1, "$0.000000001"), (1_500, "$0.0000015"), (10**9, "$1.00"),
    (1_234_500_000_000, "$1,234.50"), (-300, "−$0.0000003"), (2**53 - 1, "$9,007,199.254740991")])
def test_money_is_shown_exactly(nano, text):
    assert view.usd(nano) == text


def test_durations_are_for_people():
    assert [view.duration(n) for n in (None, 0, 999, 1_250)] == ["–", "0 ms", "999 ms", "1.2 s"]


def test_instants_are_shown_in_utc():
    assert view.clock("2026-11-20T10:00:00.5+02:00") == "2026-11-20 08:00:00"
    assert view.moment("2026-11-20T10:00:00.005+02:00") == "2026-11-20 08:00:00.005"
    assert (view.clock(None), view.moment(None)) == ("–", "–")


def test_bars_lie_inside_the_drawing(ledger):
    events = [ledger.attributed("r-1", started="2026-11-20T09:59:50Z"),
              ledger.attributed("r-2", started="2026-11-20T09:59:59.999Z"),
              ledger.attributed("r-3", started=None)]

    untimed = {"started": None, "ended": None}
    first, last, none = view.bars([*timeline("t-1", events)["invocations"][:2], untimed])

    assert (first.x, first.x + first.width) == (0, view.CHART_WIDTH - view.BAR_MIN)
    assert last.width == view.BAR_MIN
    assert last.x + last.width <= view.CHART_WIDTH
    assert none is None


def test_call_that_took_no_time_has_a_bar(ledger):
    at = "2026-11-20T10:00:00Z"
    line = timeline("t-1", [ledger.attributed("r-1", started=at, at=at)])

    (bar,) = view.bars(line["invocations"])

    assert bar.width == view.BAR_MIN


def test_tables_leave_out_what_is_neither_tool_nor_model():
    rows = [Row({"agent": "a", "tool": "x", "model": None}, Sums(5, 1, 0)),
            Row({"agent": "a", "tool": None, "model": "m"}, Sums(7, 1, 9))]

    tables = view.tables(rows)

    assert {n: [r["name"] for r in t] for n, t in tables.items()} == {
        "agent": ["a"], "tool": ["x"], "model": ["m"]}


def test_correction_counts_in_the_task_and_is_listed(ledger):
    events = [ledger.attributed("r-1", cost=1000), ledger.adjusted("r-1", delta=-300)]

    line = timeline("t-1", events)

    assert line["total_nano"] == 700
    assert [(a["cost_nano"], a["reason"]) for a in line["adjustments"]] == [(-300, "late settle")]
    page = view.render("task.html", tenant="acme", line=line, width=view.CHART_WIDTH,
                       bars=view.bars(line["invocations"]))
    assert "−$0.0000003" in page
