import pytest

from eventing.local.demand import Limits, Peak


@pytest.mark.parametrize(("load", "processes"), [(0, 0), (1, 1), (4, 1), (5, 2), (100, 3)])
def test_processes_follow_the_load_up_to_the_maximum(load, processes):
    assert Limits(concurrency=4, target=4, max_scale=3).wanted(load) == processes


def test_minimum_is_kept_without_load():
    assert Limits(min_scale=2).wanted(0) == 2


def test_peak_is_remembered_for_the_window():
    peak = Peak(window_s=10)
    peak.note(3, now_s=0)
    peak.note(1, now_s=5)
    peak.note(0, now_s=7)

    assert [peak.within(t) for t in (8, 14.9, 15, 16.9, 17)] == [3, 3, 1, 1, 0]


def test_level_that_holds_is_the_peak_however_long():
    peak = Peak(window_s=10)
    peak.note(2, now_s=0)

    assert peak.within(1000) == 2


def test_higher_level_hides_lower_ones_that_ended_before():
    peak = Peak(window_s=10)
    for now_s, level in enumerate((1, 0, 5, 0)):
        peak.note(level, now_s)

    assert [peak.within(t) for t in (3, 12.9, 13)] == [5, 5, 0]
