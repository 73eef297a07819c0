"""A task one of whose calls waits for budget: how it sleeps, wakes, and stops waiting."""

import pytest

from functions.agents import commits
from shared import limits
from shared.tasks.contract import Status
from shared.tasks.store import Snapshot
from tests.states import NOW, call, state


def waiting(results=(), **changes):
    asked = state("t1").but(step=1, status=Status.RUNNING, calls=(call("reader", "one"),
                                                                  call("reader", "two")))
    return Snapshot(asked.but(**changes), 3, {key: {"result": 1} for key in results}, {}, None)


def test_first_call_that_waits_pauses_the_task_and_moves_its_deadline():
    seen = waiting()

    commit = commits.starved(seen, "one", "reader: over budget", NOW)

    slept_s = commit.state.wake_at - NOW
    assert (commit.state.status, commit.state.wakes) == (Status.PAUSED, 1)
    assert commit.due_at == commit.state.wake_at
    assert commit.state.deadline_at == seen.state.deadline_at + slept_s
    assert [event for event, _ in commit.events]


def test_second_one_and_one_that_has_ended_change_nothing():
    asleep = waiting(status=Status.PAUSED, wake_at=NOW + 5)

    assert commits.starved(asleep, "two", "r", NOW) is None
    assert commits.starved(waiting(["one"]), "one", "r", NOW) is None


def test_woken_task_asks_again_for_what_is_missing_only():
    asleep = waiting(["one"], status=Status.PAUSED, wake_at=NOW + 5, extended_s=10)

    commit = commits.asking_again(asleep, NOW)

    assert (commit.state.status, commit.state.wake_at) == (Status.RUNNING, None)
    assert commit.state.extended_s == 5
    assert ["two" in body and "one" not in body for _, body in commit.events] == [True]


@pytest.mark.parametrize(("extended_s", "may"), [
    (0.0, True), (limits.PAUSE_MAX_S, False)])
def test_task_that_waited_as_long_as_it_may_hears_that_the_call_is_denied(extended_s, may):
    assert commits.may_sleep(waiting(extended_s=extended_s).state) is may
