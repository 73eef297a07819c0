from datetime import date

import pytest

from functions.costs.pages.periods import Period, period
from functions.costs.questions.ranges import END_MS, day_of, month_span
from functions.costs.sums.naming import DAY_DIGITS, day_number
from shared.errors import Permanent

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize(("asked", "start", "end"), [
    ({"from": "2026-11-01", "to": "2026-11-11"}, date(2026, 11, 1), date(2026, 11, 11)),
    ({"from": "20261101T093000Z"}, date(2026, 11, 1), date(2026, 11, 22)),
    ({"from": "2026-11-01T00:30:00+02:00"}, date(2026, 10, 31), date(2026, 11, 22)),
    ({"to": "2026-11-11"}, None, date(2026, 11, 11)),
    ({}, date(2026, 10, 23), date(2026, 11, 22)),
    ({"all": "1", "from": "2026-11-01"}, None, None),
])
def test_page_shows_the_utc_days_that_its_address_means(asked, start, end):
    assert period(asked, TODAY) == Period(start, end)


@pytest.mark.parametrize("asked", [
    {"from": "1969-12-31"}, {"to": "2200-01-02"}, {"from": "0001-01-01T00:00:00+14:00"},
    {"to": "9999-12-31T23:59:59-14:00"}, {"from": "2026-11-21T09:30:00"}])
def test_days_out_of_all_time_are_refused(asked):
    with pytest.raises(Permanent, match="from 1970 to 2200"):
        period(asked, TODAY)


def test_period_before_the_first_day_is_none():
    whole = period({"from": "1970-01-01", "to": "2200-01-01"}, TODAY)

    assert whole.before is None
    assert Period(date(1970, 1, 3), date(1970, 1, 5)).before == Period(
        date(1970, 1, 1), date(1970, 1, 3))


@pytest.mark.parametrize("month", ["9999-12", "1969-12", "2026-13", "2026-1", "202611", "", "x"])
def test_month_that_is_none_is_no_span(month):
    with pytest.raises(ValueError, match=r"month|format"):
        month_span(month)


def test_last_day_of_all_has_as_many_digits_as_any():
    assert day_of(END_MS - 1) == "2199-12-31"
    assert len(day_number(END_MS)) == DAY_DIGITS == len(day_number(0))
