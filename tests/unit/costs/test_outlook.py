"""Forecast, anomaly, outliers, exhaustion: the formulas, their minimum of data, a back-test."""

import random
from datetime import date, timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from functions.costs.pages.outlook import (
    ANOMALY_DAYS_MIN,
    FORECAST_DAYS_MIN,
    OUTLIERS_MIN,
    anomaly,
    backtest,
    exhausted_in_s,
    fence,
    forecast,
)

TODAY = date(2026, 10, 20)
CENT = 10_000_000


def days(costs, until=TODAY):
    """Return costs of the days before `until`, the last one yesterday."""
    return {until - timedelta(len(costs) - i): cost for i, cost in enumerate(costs)}


def test_steady_spending_is_forecast_exactly():
    found = forecast(days([CENT] * 60), TODAY)

    assert found is not None
    assert found.so_far_nano == 19 * CENT
    assert found.total_nano == found.low_nano == found.high_nano == 31 * CENT


def test_weekdays_are_told_apart():
    costs = {day: (0 if day.weekday() >= 5 else CENT)
             for day in (TODAY - timedelta(n) for n in range(1, 43))}
    working_days = sum(date(2026, 10, d).weekday() < 5 for d in range(1, 32))

    assert forecast(costs, TODAY).total_nano == working_days * CENT


def test_rest_of_today_is_what_is_not_spent_yet():
    spent_half = days([CENT] * 30) | {TODAY: CENT // 2}
    spent_double = days([CENT] * 30) | {TODAY: 2 * CENT}

    assert forecast(spent_half, TODAY).total_nano == 31 * CENT
    assert forecast(spent_double, TODAY).total_nano == 32 * CENT


def test_six_days_are_not_enough_data():
    assert forecast(days([CENT] * (FORECAST_DAYS_MIN - 1)), TODAY) is None
    assert forecast(days([CENT] * FORECAST_DAYS_MIN), TODAY) is not None
    assert forecast({}, TODAY) is None


def test_last_day_of_a_month_forecasts_itself():
    last = date(2026, 10, 31)

    assert forecast(days([CENT] * 40, last) | {last: CENT}, last).total_nano == 31 * CENT


def test_backtest_of_noisy_weeks_is_within_the_noise():
    rng = random.Random(7)
    costs = [int(CENT * (0.3 if i % 7 >= 5 else 1) * rng.uniform(0.8, 1.2)) for i in range(120)]

    error = backtest(days(costs), TODAY)
    found = forecast(days(costs), TODAY)

    assert error is not None
    assert error < Fraction(1, 10)
    assert found.low_nano <= found.total_nano <= found.high_nano


def test_interval_holds_the_true_end_of_most_months():
    rng, held = random.Random(11), 0
    for _ in range(40):
        costs = [int(CENT * rng.uniform(0.5, 1.5)) for _ in range(90)]
        month = {date(2026, 8, 2) + timedelta(i): cost for i, cost in enumerate(costs)}
        found = forecast({d: c for d, c in month.items() if d < TODAY}, TODAY)
        true = sum(c for d, c in month.items() if d.month == 10)
        rest = [found.low_nano, found.high_nano]
        held += rest[0] <= true <= rest[1]

    assert held >= 24  # 4 of 5 a week ahead; the end of October is 11 days away


@given(st.lists(st.integers(0, 10**15), min_size=8, max_size=60))
def test_forecast_is_never_below_what_is_spent(costs):
    found = forecast(days(costs), TODAY)

    assert found.total_nano >= found.so_far_nano >= 0
    assert found.low_nano <= found.high_nano


def test_day_far_above_the_others_is_an_anomaly():
    usual = days([CENT, CENT + 10, CENT - 10] * 8)

    assert anomaly(usual | {TODAY: 3 * CENT}, TODAY) > 4
    assert anomaly(usual | {TODAY: CENT + CENT // 20}, TODAY) <= 4
    assert anomaly(days([CENT] * (ANOMALY_DAYS_MIN - 1)) | {TODAY: 9 * CENT}, TODAY) is None


def test_spending_the_same_each_day_is_not_alarmed_by_a_cent():
    assert anomaly(days([100 * CENT] * 30) | {TODAY: 101 * CENT}, TODAY) < 4


def test_outlier_lies_beyond_the_outer_fence():
    usual = [90, 100, 110, 120] * 5

    assert fence(usual) == 120 + 3 * (120 - 100)
    assert fence(usual[:OUTLIERS_MIN - 1]) is None


def test_time_to_exhaustion_is_free_over_pace():
    assert exhausted_in_s(free=1_000, burnt=100, over_s=60) == 600
    assert exhausted_in_s(free=1_000, burnt=0, over_s=60) is None
    assert exhausted_in_s(free=0, burnt=0, over_s=60) == 0
