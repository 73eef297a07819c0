"""Compares two arms in one figure at a time, so that looking again and again is allowed (ADR 0023).

An estimate with variance V is compared with "no difference" by a mixture sequential probability
ratio test: under no difference, the chance that the interval

    estimate ± sqrt(V (V + t²) / t² · (2 ln(1/a) + ln((V + t²) / V)))

ever leaves it out is at most `a`, however often it is looked at; `t` is the size of difference
that the test is quickest to find. V is estimated, so this holds for many samples; the simulation
in the tests measures what is left of it for few.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

P95 = 0.95
RATIO_SCALE = math.log(1.35)
"""`t` of the cost ratio's logarithm: a third dearer is found first."""
SHARE_SCALE = 0.1
"""`t` of a difference of shares: ten points are found first."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One task, or one run of a tool."""

    cost_nano: int
    succeeded: bool
    duration_s: float | None = None
    """`None` if it says nothing about the revision: a cold start, or the end is unknown."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A difference of the arms with its always-valid bounds; positive is worse."""

    estimate: float
    low: float
    high: float


def interval(estimate: float, variance: float, scale: float, alpha: float) -> Interval:
    """Return the bounds around an estimate, valid at every look together."""
    wide = variance + scale**2
    half = math.sqrt(variance * wide / scale**2
                     * (2 * math.log(1 / alpha) + math.log(wide / variance)))
    return Interval(estimate, estimate - half, estimate + half)


def cost_ratio(stable: Sequence[Sample], candidate: Sequence[Sample],
               alpha: float) -> Interval | None:
    """Return ln(candidate's cost per success / stable's); `None` if an arm has no cost or success.

    The variance is that of the ratio of two sums, by their influence (delta method).
    """
    arms = [_log_cost(arm) for arm in (stable, candidate)]
    if arms[0] is None or arms[1] is None:
        return None
    (before, before_v), (after, after_v) = arms[0], arms[1]
    return interval(after - before, before_v + after_v, RATIO_SCALE, alpha)


def _log_cost(arm: Sequence[Sample]) -> tuple[float, float] | None:
    n, total = len(arm), sum(s.cost_nano for s in arm)
    successes = sum(s.succeeded for s in arm)
    if n < 2 or not total or not successes:
        return None
    influence = sum((s.cost_nano * n / total - s.succeeded * n / successes)**2 for s in arm)
    # One part in n² at least: equal costs are not certain to stay equal.
    return math.log(total / successes), max(influence / (n - 1), 1 / n) / n


def error_increase(stable: Sequence[Sample], candidate: Sequence[Sample],
                   alpha: float) -> Interval:
    """Return the candidate's share of failures less the stable's."""
    failed = [sum(not s.succeeded for s in arm) for arm in (stable, candidate)]
    before, after = (f / len(arm) for f, arm in zip(failed, (stable, candidate), strict=True))
    variance = _of_share(failed[0], len(stable)) + _of_share(failed[1], len(candidate))
    return interval(after - before, variance, SHARE_SCALE, alpha)


def slower(stable: Sequence[float], candidate: Sequence[float], factor: float,
           alpha: float) -> Interval:
    """Return how many more than 5 % of the candidate's runs take longer than the stable's p95.

    `factor` multiplies that p95. The threshold's own error counts as that of its rank.
    """
    threshold = factor * p95(stable)
    above = sum(d > threshold for d in candidate)
    variance = (_of_share(above, len(candidate)) + P95 * (1 - P95) / len(stable))
    return interval(above / len(candidate) - (1 - P95), variance, SHARE_SCALE, alpha)


def p95(durations: Sequence[float]) -> float:
    """Return the 95th percentile: the smallest value that 95 % do not exceed."""
    ordered = sorted(durations)
    return ordered[math.ceil(P95 * len(ordered)) - 1]


def _of_share(hits: int, n: int) -> float:
    share = (hits + 1) / (n + 2)  # none seen does not mean none possible
    return share * (1 - share) / n
