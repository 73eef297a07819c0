from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from functions.costs.pages import spend_tables
from functions.costs.pages.pace import Pace, since
from functions.costs.pages.periods import Period, period, presets
from functions.costs.pages.visit import Visit
from functions.costs.questions.rows import Row, Sums
from shared.errors import Permanent

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
SPAN = {"from": "2026-11-20", "to": "2026-11-22"}


def visit(**asked):
    return Visit(store=None, tenant="acme", asked=asked or SPAN, now=NOW, api=None)


def row(cost, more=None, **of):
    return Row(of, Sums(cost, 1, 10, more or {}))


def steady(days, cost=100):
    return {NOW.date() - timedelta(n): cost for n in range(days + 1)}


def test_period_is_thirty_days_up_to_today_unless_told():
    assert period({}, NOW.date()) == Period(date(2026, 10, 23), date(2026, 11, 22))
    assert period({"all": "1"}, NOW.date()) == Period(None, None)
    assert period({"from": "2026-11-01"}, NOW.date()).end == date(2026, 11, 22)


@pytest.mark.parametrize("asked", [
    {"from": "2026-11-22", "to": "2026-11-21"}, {"from": "yesterday"}, {"to": "2026-02-30"}])
def test_period_that_is_none_is_refused(asked):
    with pytest.raises(Permanent):
        period(asked, NOW.date())


def test_period_before_is_as_long_and_ends_where_this_begins():
    this = Period(date(2026, 11, 8), date(2026, 11, 22))

    assert this.before == Period(date(2026, 10, 25), date(2026, 11, 8))
    assert Period(None, None).before is None


@pytest.mark.parametrize(("days", "bucket", "points"), [
    (1, "hour", 24), (2, "hour", 48), (3, "day", 3), (119, "day", 119), (200, "week", 0),
    (900, "month", 0)])
def test_chart_has_as_many_points_as_one_can_tell_apart(days, bucket, points):
    span = Period(NOW.date() - timedelta(days), NOW.date())

    assert (span.bucket, len(list(span.labels()))) == (bucket, points)


def test_presets_have_the_whole_last_month():
    assert dict(presets(date(2026, 3, 1)))["Last month"] == {
        "from": "2026-02-01", "to": "2026-03-01"}


def test_time_without_costs_is_drawn_as_nothing_and_sums_are_exact():
    rows = [row(2**60, hour="2026-11-20T05", agent="a"), row(1, hour="2026-11-20T05", agent="b")]

    table = spend_tables.over_time(visit(), "agent", rows)

    assert len(table.rows) == 48
    assert table.rows[5] == ("2026-11-20T05", 2**60, 1, 2**60 + 1)
    assert sum(line[-1] for line in table.rows) == 2**60 + 1


def test_more_values_than_colours_become_others_and_add_up():
    rows = [row(100 - n, hour="2026-11-20T05", agent=f"a{n}") for n in range(9)]

    table = spend_tables.over_time(visit(), "agent", rows)

    assert [c.title for c in table.columns] == [
        "Hour", *(f"a{n}" for n in range(6)), "others", "Total"]
    assert table.rows[5][7] == 94 + 93 + 92
    assert sum(table.rows[5][1:-1]) == table.rows[5][-1]


def of_agents(rows, before=None):
    return spend_tables.by_dimension(visit(), "agent", rows, all_rows=rows, before=before)


def test_unattributed_is_a_row_also_when_there_is_none():
    table = of_agents([row(5, agent="a")])
    lost = of_agents([row(5, {"unattributed_nano": 3}, agent=None)])

    assert table.foot[1][:3] == ("of it unattributed", 0, 0)
    assert lost.foot[1][:3] == ("of it unattributed", 3, 6_000)


def test_change_is_against_the_period_before_also_of_what_is_gone():
    before = spend_tables.Before([row(9, agent="a"), row(2, agent="gone")], 11)
    table = of_agents([row(5, agent="a"), row(7, agent="new")], before)

    assert [line[3:5] for line in table.rows] == [(9, -4), (0, 7)]
    assert table.foot[0][3:5] == (11, 1)


def test_total_is_of_everything_also_where_the_dearest_alone_are_shown():
    table = spend_tables.by_dimension(
        visit(), "session", [row(5, session="s-1")], all_rows=[row(12, agent="a")], before=None)

    assert [line[:2] for line in table.foot[:2]] == [("all others", 7), ("Total", 12)]


def test_forecast_states_its_formula_and_what_it_needs():
    few, enough = (spend_tables.forecast(steady(n), NOW.date()) for n in (6, 21))

    assert few.rows == []
    assert few.empty == "Not enough data: 7 whole days are needed, 6 had costs."
    assert "mean of its weekday over the last 4 weeks, needing 7 whole days" in enough.note
    assert "off by 0 %" in enough.note
    assert [line[1] for line in enough.rows[:2]] == [2_100, 3_000]


def test_unusual_day_is_named_and_too_little_data_is_said():
    costs = steady(30) | {NOW.date() - timedelta(1): 900}
    days = [NOW.date() - timedelta(n) for n in (3, 2, 1)]

    found = spend_tables.anomalies(costs, days)
    few = spend_tables.anomalies(steady(5), days)

    assert [line[:2] for line in found.rows] == [("2026-11-20", 900)]
    assert few.empty == "Not enough data: 14 days before a day are needed."


def test_pace_says_when_a_budget_is_used_up():
    going = Pace.of([Row({"agent": "a"}, Sums(700, 7, 70))], NOW)
    budget = {"scope": "agent", "id": "a", "unit": "usd", "free": 400, "per_hour": 1}
    window = {**budget, "scope": "model", "posted": 1}

    assert (since(NOW), going.over_s) == (NOW.replace(hour=6, minute=0), 3.5 * 3600)
    assert (going.per_hour, going.of_budget(budget)) == (200, 200)
    assert going.left(budget) == 2 * 3_600_000
    assert going.left(window) == 400 * 3_600_000
    assert going.left({**budget, "free": 0}) == 0
    assert going.left({**budget, "free": None}) is None


@pytest.mark.parametrize(("unit", "per_hour"), [("usd", 200), ("tok", 20), ("calls", 2)])
def test_pace_is_measured_in_every_unit(unit, per_hour):
    going = Pace({"a": Sums(700, 7, 70)}, 12_600)

    assert going.of_budget({"scope": "tenant", "id": "t", "unit": unit}) == per_hour
    assert going.of_budget({"scope": "agent", "id": "a", "unit": unit}) == per_hour


@pytest.mark.parametrize(("budget", "said"), [
    ({"scope": "agent", "id": "few"}, "not enough data"),
    ({"scope": "agent", "id": "idle"}, "not enough data"),
    ({"scope": "agent", "id": "free"}, "not at this pace"),
    ({"scope": "tool", "id": "x", "posted": 100, "per_hour": 1_000}, "not enough data"),
    ({"scope": "tool", "id": "x", "posted": 0, "per_hour": 0}, "not enough data"),
    ({"scope": "session", "id": "x", "posted": 9, "per_hour": None}, "not enough data")],
    ids=["two-calls", "no-call", "no-cost", "six-minutes", "nothing-posted", "no-window"])
def test_too_little_data_says_so_in_place_of_a_time(budget, said):
    going = Pace({"few": Sums(700, 2, 70), "free": Sums(0, 5, 70)}, 12_600)

    assert going.left({"unit": "usd", "free": 400, **budget}) == said


def test_filters_stay_in_the_addresses_of_a_page():
    found = replace(visit(), asked={"agent": "a&b", "by": "session"})

    assert found.href("/spend", by="task") == "/spend?agent=a%26b&by=task"
    assert found.href("/spend", agent=None) == "/spend?by=session"
