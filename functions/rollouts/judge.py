"""Judges a rollout by its samples, without I/O (ADR 0023).

A figure *fails* when it is measured beyond its bound and the interval leaves out "no difference";
it is *proven good* when the whole interval lies within the bound. One failing figure fails the
candidate; a pass needs every figure, by proof before the time is over, as measured at its end.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from functions.rollouts import evidence
from functions.rollouts.evidence import Interval, Sample
from shared.rollouts.plan import ArmFigures, Bounds

FIGURES = 3
"""The error probability is shared by cost, failures and duration."""


@dataclass(frozen=True, slots=True)
class Arms:
    """What both revisions did since the traffic was split."""

    stable: Sequence[Sample]
    candidate: Sequence[Sample]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the samples say of the candidate."""

    kind: Literal["continue", "pass", "fail", "insufficient"]
    reason: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One figure against its bound."""

    says: str
    exceeds: bool
    """Measured beyond the bound."""
    is_worse: bool
    """Worse than the stable revision, for certain."""
    is_good: bool
    """Within the bound, for certain."""


def judge(arms: Arms, bounds: Bounds, *, is_over: bool) -> Verdict:
    """Return the verdict; `is_over` says that the maximum duration has passed."""
    fewest = min(len(arms.stable), len(arms.candidate))
    if fewest < bounds.min_samples:
        have = (f"{len(arms.stable)} of stable and {len(arms.candidate)} of candidate, "
                f"{bounds.min_samples} of each are needed")
        return Verdict("insufficient" if is_over else "continue", f"samples: {have}")
    findings = list(_findings(arms, bounds))
    if bad := [f for f in findings if f.exceeds and f.is_worse]:
        return Verdict("fail", "; ".join(f.says for f in bad))
    if all(f.is_good for f in findings):
        return Verdict("pass", "; ".join(f.says for f in findings))
    return _unproven(findings, is_over=is_over)


def _unproven(findings: Sequence[Finding], *, is_over: bool) -> Verdict:
    beyond = [f.says for f in findings if f.exceeds]
    if not is_over:
        open_ones = beyond or [f.says for f in findings if not f.is_good]
        return Verdict("continue", f"not certain yet: {'; '.join(open_ones)}")
    if beyond:
        return Verdict("insufficient", f"beyond its bound, but not for certain: "
                                       f"{'; '.join(beyond)}")
    return Verdict("pass", "time is over; within every bound as measured: "
                           f"{'; '.join(f.says for f in findings)}")


def _findings(arms: Arms, bounds: Bounds) -> Iterator[Finding]:
    alpha = bounds.alpha / FIGURES
    yield _errors(arms, bounds, alpha)
    if found := evidence.cost_ratio(arms.stable, arms.candidate, alpha):
        yield _cost(found, bounds)
    stable, candidate = (_durations(arm) for arm in (arms.stable, arms.candidate))
    if min(len(stable), len(candidate)) >= bounds.min_samples:
        yield _duration(stable, candidate, bounds, alpha)


def _errors(arms: Arms, bounds: Bounds, alpha: float) -> Finding:
    found = evidence.error_increase(arms.stable, arms.candidate, alpha)
    before, after = (_failures(arm) / len(arm) for arm in (arms.stable, arms.candidate))
    says = (f"failures {after:.1%} against {before:.1%}, {found.estimate:+.1%} "
            f"[{found.low:+.1%}, {found.high:+.1%}], bound {bounds.max_error_increase:+.1%}")
    return _finding(says, found, bounds.max_error_increase)


def _cost(found: Interval, bounds: Bounds) -> Finding:
    ratio, low, high = (_readable(v) for v in (found.estimate, found.low, found.high))
    says = f"cost per success ×{ratio} [{low}, {high}], bound ×{bounds.max_cost_ratio:g}"
    return _finding(says, found, math.log(bounds.max_cost_ratio))


def _readable(logarithm: float) -> str:
    return f"{math.exp(min(logarithm, 20.0)):.3g}"


def _duration(stable: Sequence[float], candidate: Sequence[float], bounds: Bounds,
              alpha: float) -> Finding:
    before, after = evidence.p95(stable), evidence.p95(candidate)
    above = evidence.slower(stable, candidate, 1.0, alpha)
    within = evidence.slower(stable, candidate, bounds.max_p95_ratio, alpha)
    says = f"p95 {after:.2f} s against {before:.2f} s, bound ×{bounds.max_p95_ratio:g}"
    return Finding(says, exceeds=after > before * bounds.max_p95_ratio,
                   is_worse=above.low > 0, is_good=within.high <= 0)


def _finding(says: str, found: Interval, bound: float) -> Finding:
    return Finding(says, exceeds=found.estimate > bound, is_worse=found.low > 0,
                   is_good=found.high <= bound)


def _failures(arm: Sequence[Sample]) -> int:
    return sum(not s.succeeded for s in arm)


def _durations(arm: Sequence[Sample]) -> list[float]:
    return [s.duration_s for s in arm if s.duration_s is not None]


def figures(arm: Sequence[Sample]) -> ArmFigures:
    """Return what is shown of one revision."""
    successes, durations = len(arm) - _failures(arm), _durations(arm)
    return ArmFigures(
        samples=len(arm), failures=_failures(arm),
        cost_per_success_nano=round(sum(s.cost_nano for s in arm) / successes)
        if successes else None,
        p95_s=round(evidence.p95(durations), 3) if durations else None)
