"""What spending is heading for: forecast, anomaly, outliers, exhaustion. Pure; amounts in nano-USD.

Each answer is `None` below its minimum of data: "not enough data" is better than a guess.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from statistics import median

FORECAST_DAYS_MIN = 7
"""Whole days of data: each weekday once."""

FORECAST_WEEKS = 4
"""Weeks that a weekday's mean looks back: long enough for a mean, short enough to follow."""

ANOMALY_DAYS_MIN = 14
"""Days before the one in question: fewer make a median of luck."""

OUTLIERS_MIN = 20
"""Tasks: below it, a quartile is one task."""

SCALED_MAD = Fraction(14826, 10000)
"""A normal distribution's standard deviation over its median absolute deviation."""

ANOMALY_DEVIATIONS = 4
FENCE = 3
"""Tukey's outer fence: this many times the middle half's width above it."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a month will have cost at its end."""

    total_nano: int
    so_far_nano: int
    low_nano: int
    high_nano: int
    """Between these lay four of five earlier forecasts, made a week ahead."""


def forecast(daily: Mapping[date, int], today: date) -> Forecast | None:
    """Return the month's cost at its end: what is spent, and each day left as its weekday's mean.

    `daily` has whole days in UTC, and today so far; days absent between the first and today cost
    nothing. The rest of today is the part of its mean that is not spent yet.
    """
    past = _whole_days(daily, today)
    if len(past) < FORECAST_DAYS_MIN:
        return None
    spent = sum(cost for day, cost in daily.items() if _same_month(day, today) and day <= today)
    left = _left(past, today, daily.get(today, 0))
    low, high = _spread(past)
    return Forecast(total_nano=spent + left, so_far_nano=spent, low_nano=spent + int(left * low),
                    high_nano=spent + int(left * high))


def backtest(daily: Mapping[date, int], today: date) -> Fraction | None:
    """Return the median error of what this formula would have said a week ahead, as a part of 1.

    For each past day with data enough: the seven days after it, foretold and true.
    """
    ratios = _ratios(_whole_days(daily, today))
    return median(abs(ratio - 1) for ratio in ratios) if ratios else None


def anomaly(daily: Mapping[date, int], day: date) -> Fraction | None:
    """Return how many robust deviations a day is above the days before it; over 4 is an anomaly.

    The deviation is the scaled median absolute deviation, at least a twentieth of the median, so
    that a tenant who spends the same each day is not alarmed by a cent.
    """
    before = _whole_days(daily, day)[-ANOMALY_DAYS_MIN * 2:]
    if len(before) < ANOMALY_DAYS_MIN:
        return None
    middle = Fraction(median(before))
    deviation = SCALED_MAD * Fraction(median(abs(cost - middle) for cost in before))
    floor = max(deviation, middle / 20, Fraction(1))
    return (daily.get(day, 0) - middle) / floor


def fence(costs: Sequence[int]) -> int | None:
    """Return what a task must exceed to be an outlier among these."""
    if len(costs) < OUTLIERS_MIN:
        return None
    ordered = sorted(costs)
    first, third = ordered[len(ordered) // 4], ordered[len(ordered) * 3 // 4]
    return third + FENCE * (third - first)


def exhausted_in_s(free: int, burnt: int, over_s: int) -> int | None:
    """Return in how many seconds `free` is used up at the pace of the last `over_s` seconds.

    `None` when nothing was burnt: then never.
    """
    if free <= 0:
        return 0
    return free * over_s // burnt if burnt > 0 else None


def _whole_days(daily: Mapping[date, int], today: date) -> list[int]:
    """Return the cost of every day from the first with costs to yesterday, 0 where it has none."""
    first = min((day for day in daily if day < today), default=today)
    return [daily.get(first + timedelta(n), 0) for n in range((today - first).days)]


def _mean(past: Sequence[int], at: int, before: int) -> Fraction:
    """Return the mean of the days of the same weekday as day `at`, of the weeks before a day.

    Days are told by their place in `past`; seven of them hold one of each weekday.
    """
    start = max(before - FORECAST_WEEKS * 7, 0)
    same = past[start + (at - start) % 7:before:7]
    return Fraction(sum(same), len(same))


def _left(past: Sequence[int], today: date, spent_today: int) -> int:
    now = len(past)
    total = max(_mean(past, now, now) - spent_today, Fraction(0))
    ahead = 1
    while _same_month(today + timedelta(ahead), today):
        total += _mean(past, now + ahead, now)
        ahead += 1
    return int(total)


def _ratios(past: Sequence[int]) -> list[Fraction]:
    """Return true over foretold for the week after each day that had data enough."""
    found = []
    for now in range(FORECAST_DAYS_MIN, len(past) - 6):
        foretold = sum(_mean(past, day, now) for day in range(now, now + 7))
        if foretold:
            found.append(Fraction(sum(past[now:now + 7])) / foretold)
    return found


def _spread(past: Sequence[int]) -> tuple[Fraction, Fraction]:
    """Return the 10th and 90th percentile of true over foretold; 1 and 1 without any."""
    ratios = sorted(_ratios(past))
    if not ratios:
        return Fraction(1), Fraction(1)
    return ratios[len(ratios) // 10], ratios[len(ratios) * 9 // 10]


def _same_month(day: date, other: date) -> bool:
    return (day.year, day.month) == (other.year, other.month)
