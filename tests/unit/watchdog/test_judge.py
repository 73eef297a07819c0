from functions.watchdog.judge import Fail, Forget, Nudge, Publish, judge
from shared import limits
from shared.tasks.contract import Status
from tests.states import NOW, call, snapshot, state


def test_unpublished_events_go_out_first():
    assert judge(snapshot(state(), outbox={"e": "{}"}), NOW + 6) == Publish()


def test_unpublished_outcome_of_a_final_task_goes_out():
    ended = state().ended(Status.FAILED, NOW)

    assert judge(snapshot(ended, outbox={"e": "{}"}), NOW + 10**6) == Publish()
    assert judge(snapshot(ended), NOW + 10**6) == Forget()


def test_silent_task_is_nudged_with_growing_numbers():
    silent = state(step=1, calls=(call(),), nudges=2)

    assert judge(snapshot(silent), NOW + 301) == Nudge(3, counts=True)


def test_task_without_progress_after_all_nudges_fails():
    verdict = judge(snapshot(state(nudges=limits.NUDGES_MAX)), NOW + 301)

    assert isinstance(verdict, Fail)
    assert "no progress" in verdict.error


def test_waking_a_task_that_was_put_off_counts_as_no_nudge():
    waiting = state(wake_at=NOW + 2, nudges=limits.NUDGES_MAX)

    assert judge(snapshot(waiting), NOW + 3) == Nudge(limits.NUDGES_MAX + 1, counts=False)


def test_task_past_its_deadline_fails_even_with_unpublished_events():
    assert judge(snapshot(state(deadline_s=60), outbox={"e": "{}"}), NOW + 60) == Fail(
        "deadline exceeded")
