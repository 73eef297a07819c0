import pytest

from functions.costs.events.timeline import timeline
from functions.costs.pages import task as page_task
from functions.costs.pages import view
from functions.costs.pages.tables import Gauge


@pytest.mark.parametrize(("nano", "text"), [
    (0, "$0.00"), (1, "$0.000000001"), (1_500, "$0.0000015"), (10**9, "$1.00"),
    (1_234_500_000_000, "$1,234.50"), (-300, "−$0.0000003"), (2**53 - 1, "$9,007,199.254740991"),
    (10**30, "$1,000,000,000,000,000,000,000.00")])
def test_money_is_shown_exactly(nano, text):
    assert view.usd(nano) == text


def test_durations_are_for_people():
    assert [view.duration(n) for n in (None, 0, 999, 1_250, 120_000, 36_000_000)] == [
        "–", "0 ms", "999 ms", "1.2 s", "2 min", "10 h 0 min"]


def test_instants_are_shown_in_utc_and_buckets_as_they_are():
    assert view.when("2026-11-20T10:00:00.5+02:00") == "2026-11-20 08:00:00"
    assert [view.when(text) for text in ("2026-11", "2026-W47", "2026-11-20", "2026-11-20T09")] \
        == ["2026-11", "2026-W47", "2026-11-20", "2026-11-20 09:00"]
    assert view.clock(None) == "–"


@pytest.mark.parametrize(("posted", "held", "limit", "widths"), [
    (0, 0, 100, (0, 0)), (50, 25, 100, (500, 250)), (100, 10, 100, (1000, 0)),
    (300, 0, 100, (1000, 0)), (1, 0, 10**18, (view.SOME, 0)), (0, 0, 0, (0, 0))])
def test_gauge_never_runs_over_and_shows_what_is_little(posted, held, limit, widths):
    gauge = Gauge(posted, held, limit, "")

    assert (view.posted_width(gauge), view.held_width(gauge)) == widths


def test_bars_lie_inside_the_drawing(ledger):
    events = [ledger.attributed("r-1", started="2026-11-20T09:59:50Z"),
              ledger.attributed("r-2", started="2026-11-20T09:59:59.999Z"),
              ledger.attributed("r-3", started=None)]

    untimed = {"started": None, "ended": None}
    calls = [*timeline("t-1", events)["invocations"][:2], untimed]
    first, last, none = page_task.bars(calls)

    assert (first.x, first.x + first.width) == (0, page_task.WIDTH - view.SOME)
    assert last.width == view.SOME
    assert last.x + last.width <= page_task.WIDTH
    assert none is None


def test_call_that_took_no_time_has_a_bar(ledger):
    at = "2026-11-20T10:00:00Z"
    line = timeline("t-1", [ledger.attributed("r-1", started=at, at=at)])

    (bar,) = page_task.bars(line["invocations"])

    assert bar.width == view.SOME


def test_correction_counts_in_the_task_and_is_listed(ledger):
    events = [ledger.attributed("r-1", cost=1000), ledger.adjusted("r-1", delta=-300)]

    line = timeline("t-1", events)

    assert line["total_nano"] == 700
    (table,) = [t for t in page_task.tables(line) if t.name == "corrections"]
    assert [(row[2], row[3]) for row in table.rows] == [(-300, "late settle")]
