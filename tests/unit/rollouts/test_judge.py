"""What samples say of a candidate: few say nothing, equal ones pass, worse ones fail."""

import re
from collections import Counter

import pytest

from functions.rollouts.evidence import Sample, interval, p95
from functions.rollouts.judge import Arms, figures, judge
from shared.rollouts.plan import Bounds
from tests.unit.rollouts.simulated import Load, ends

BOUNDS = Bounds()


def arm(n, *, nano=1000, failures=0, seconds=1.0):
    return [Sample(nano + i % 7, i >= failures, seconds + i % 5 / 100) for i in range(n)]


def test_few_samples_say_nothing_until_the_time_is_over():
    arms = Arms(arm(500), arm(29, nano=9000))

    running, over = (judge(arms, BOUNDS, is_over=is_over) for is_over in (False, True))

    assert (running.kind, over.kind) == ("continue", "insufficient")
    assert "500 of stable and 29 of candidate, 30 of each" in over.reason


def test_dearer_candidate_fails_with_its_figures_as_the_reason():
    verdict = judge(Arms(arm(270), arm(60, nano=2000)), BOUNDS, is_over=False)

    assert verdict.kind == "fail"
    assert re.match(r"cost per success ×2 \[1\.\d+, \d\.\d+\], bound ×1\.2$", verdict.reason)


def test_failed_tasks_cost_is_borne_by_the_successes():
    arms = Arms(arm(270), arm(90, failures=45))

    assert "cost per success ×2 " in judge(arms, BOUNDS, is_over=False).reason


def test_failing_candidate_fails():
    verdict = judge(Arms(arm(270), arm(30, failures=15)), BOUNDS, is_over=False)

    assert verdict.kind == "fail"
    assert "failures 50.0% against 0.0%" in verdict.reason


def test_candidate_that_never_succeeds_fails_without_a_cost_per_success():
    verdict = judge(Arms(arm(270), arm(30, failures=30)), BOUNDS, is_over=False)

    assert verdict.kind == "fail"
    assert "cost" not in verdict.reason


def test_slower_candidate_fails():
    verdict = judge(Arms(arm(270), arm(60, seconds=4.0)), BOUNDS, is_over=False)

    assert verdict.kind == "fail"
    assert "p95 4.04 s against 1.04 s" in verdict.reason


def test_unknown_durations_are_left_out():
    unknown = [Sample(1000, succeeded=True) for _ in range(60)]

    assert "p95" not in judge(Arms(arm(270), unknown), BOUNDS, is_over=True).reason


def test_free_tools_are_judged_by_failures_and_duration():
    verdict = judge(Arms(arm(900, nano=0), arm(900, nano=0)), BOUNDS, is_over=False)

    assert verdict.kind in ("pass", "continue")
    assert judge(Arms([Sample(0, succeeded=True)] * 900, [Sample(0, succeeded=True)] * 900),
                 BOUNDS, is_over=False).kind == "pass"


def test_what_is_worse_but_not_for_certain_is_insufficient_in_the_end():
    arms = Arms(arm(270), arm(40, failures=4))

    assert judge(arms, BOUNDS, is_over=False).kind == "continue"
    verdict = judge(arms, BOUNDS, is_over=True)
    assert verdict.kind == "insufficient"
    assert "beyond its bound, but not for certain: failures 10.0%" in verdict.reason


def test_equal_candidate_passes_by_measurement_when_the_time_is_over():
    verdict = judge(Arms(arm(270), arm(40)), BOUNDS, is_over=True)

    assert verdict.kind == "pass"
    assert verdict.reason.startswith("time is over; within every bound as measured")


def test_equal_candidate_passes_for_certain_with_enough_samples():
    assert judge(Arms(arm(4000), arm(2000)), BOUNDS, is_over=False).kind == "pass"


def test_bounds_are_never_certain_of_what_was_not_seen():
    for n in (30, 1000):
        found = interval(0.0, 1e-6 / n, 0.1, 0.05 / 3)
        assert found.low < 0 < found.high


def test_p95_is_the_smallest_value_that_95_percent_do_not_exceed():
    assert p95(range(1, 101)) == 95
    assert p95([7.0]) == 7.0


def test_figures_of_an_empty_arm_are_unknown():
    assert figures([]).model_dump() == {
        "samples": 0, "failures": 0, "cost_per_success_nano": None, "p95_s": None}


def test_identical_revisions_are_hardly_ever_aborted_however_often_one_looks():
    verdicts = Counter(ends(Load(seed))[0] for seed in range(100))

    assert verdicts["fail"] <= 2
    assert verdicts["pass"] >= 90


@pytest.mark.parametrize(("worse", "spread", "tasks_max"), [
    ({"dearer": 1.5}, 0.5, 80), ({"dearer": 1.5}, 1.2, 500), ({"dearer": 2.0}, 1.2, 250),
    ({"fails": 0.3}, 1.2, 120), ({"slower": 2.5}, 1.2, 200),
], ids=["dearer-even", "dearer-heavy", "twice-heavy", "failing", "slower"])
def test_worse_revision_is_found(worse, spread, tasks_max):
    found = [ends(Load(seed, spread=spread, **worse), tasks_max=tasks_max)[0]
             for seed in range(30)]

    assert found.count("fail") >= 27
