"""What to ask after a denial, and how long to wait for budget."""

from dataclasses import replace

import pytest

from functions.agents.attempt import Attempt
from functions.agents.commits import awake, paused, put_off
from functions.agents.denial import less, pause_s, spent
from shared import limits
from shared.metering import Denied
from shared.tasks.contract import Status
from tests.states import NOW, snapshot, state

CHEAPER = ("scripted/b", "scripted/c")
FIRST = Attempt(model="scripted/a", requested_model="scripted/a", output_tokens_max=1024,
                input_tokens_max=1000)


def denied(**changes):
    return Denied("no room", **{
        "account": "tenant|acme|d|2026-10-07", "unit": "usd", "need": 9, "have": 5,
        "reason": "spent", "policy": "pause", "window_ends": NOW + 600,
        "output_tokens_fitting": None} | changes)


def test_smaller_cap_comes_before_a_cheaper_model():
    asked = less(FIRST, denied(output_tokens_fitting=300), CHEAPER, 1024)

    assert (asked.model, asked.output_tokens_max, asked.ask) == ("scripted/a", 300, 1)
    assert asked.downgrade_reason == "budget: 300 output tokens fit tenant|acme|d|2026-10-07"


@pytest.mark.parametrize("fits", [None, -5, 0, limits.OUTPUT_TOKENS_MIN - 1, 1024, 5000])
def test_cap_too_small_or_no_smaller_leads_to_the_next_cheaper_model(fits):
    asked = less(replace(FIRST, output_tokens_max=1024), denied(output_tokens_fitting=fits),
                 CHEAPER, 1024)

    assert (asked.model, asked.output_tokens_max) == ("scripted/b", 1024)


def test_cheaper_models_are_asked_in_order_with_the_full_cap_until_there_are_none():
    asked, models = replace(FIRST, output_tokens_max=300), []
    while asked := less(asked, denied(), CHEAPER, 1024):
        models.append((asked.model, asked.output_tokens_max))

    assert models == [("scripted/b", 1024), ("scripted/c", 1024)]


@pytest.mark.parametrize("unit", ["tok", "calls"])
def test_cheaper_model_does_not_help_against_limits_in_other_units(unit):
    assert less(FIRST, denied(unit=unit), CHEAPER, 1024) is None


def test_blocked_account_is_not_asked_again():
    assert less(FIRST, denied(reason="blocked", output_tokens_fitting=300), CHEAPER, 1024) is None


def test_questions_of_one_step_become_smaller_or_cheaper_and_so_come_to_an_end():
    asked, count = FIRST, 0
    while asked := less(asked, denied(output_tokens_fitting=asked.output_tokens_max - 1),
                        CHEAPER, 600):
        count += 1

    assert count <= 1024 + len(CHEAPER) * 600


def test_pause_lasts_until_the_window_ends():
    assert pause_s(denied(), wakes=0, paused_s=0, now=NOW) == 601


def test_pause_without_a_window_grows_up_to_its_maximum():
    waits = [pause_s(denied(window_ends=None), wakes=n, paused_s=0, now=NOW) for n in range(20)]

    assert waits[:3] == [900, 1800, 3600]
    assert max(waits) == limits.PAUSE_LOOK_MAX_S


def test_pause_is_at_most_a_week_in_all():
    assert pause_s(denied(), wakes=0, paused_s=limits.PAUSE_MAX_S - 1, now=NOW) is None


@pytest.mark.parametrize("changes", [{"policy": "deny"}, {"account": "task|t1|life"}])
def test_other_limits_do_not_pause(changes):
    assert pause_s(denied(**changes), wakes=0, paused_s=0, now=NOW) is None


def test_window_that_has_ended_by_now_is_tried_at_once():
    assert pause_s(denied(window_ends=NOW - 5), wakes=0, paused_s=0, now=NOW) == 1


def test_reason_names_account_need_and_what_is_left():
    assert spent(denied()) == ("cost budget exceeded: account tenant|acme|d|2026-10-07 needs "
                               "$0.000000009, has $0.000000005 (spent)")


@pytest.mark.parametrize(("unit", "said"), [
    ("calls", "call budget exceeded: account agent|a|d needs 1 call, has 0 calls (spent)"),
    ("tok", "token budget exceeded: account agent|a|d needs 1 token, has 0 tokens (spent)"),
    ("usd", "cost budget exceeded: account agent|a|d needs $0.000000001, has $0 (spent)")])
def test_reason_names_the_budget_that_is_exceeded_and_amounts_in_its_unit(unit, said):
    assert spent(denied(account="agent|a|d", unit=unit, need=1, have=0)) == said


def test_blocked_account_says_so_in_its_unit():
    assert spent(denied(unit="calls", need=2, have=0, reason="blocked")).endswith(
        "needs 2 calls, has 0 calls (blocked)")


def test_time_asleep_moves_the_deadline_and_waking_early_takes_the_rest_back():
    before = snapshot(state())
    asleep = paused(before, "no budget", 600, NOW).state
    woken = awake(snapshot(asleep), NOW + 100)

    assert (asleep.status, asleep.wake_at) == (Status.PAUSED, NOW + 600)
    assert asleep.deadline_at == before.state.deadline_at + 600
    assert woken.state.deadline_at == before.state.deadline_at + 100
    assert (woken.state.wake_at, woken.stored_status) == (None, Status.PAUSED)


def test_pause_is_told_once_however_often_the_task_looks():
    first = paused(snapshot(state()), "no budget", 600, NOW)
    again = paused(awake(snapshot(first.state), NOW + 600), "no budget", 600, NOW + 600)

    assert (len(first.events), len(again.events)) == (1, 0)
    assert again.before.stored_status is Status.PAUSED


def test_step_that_is_put_off_tells_followers_why_and_for_how_long():
    (entry,) = put_off(snapshot(state()), "ledger: no answer within 5 s", NOW).entries

    assert entry.data == {"status": Status.PENDING, "reason": "ledger: no answer within 5 s",
                          "waits_s": limits.WAKE_AGAIN_S}


def test_task_that_waits_for_results_or_is_over_is_not_paused():
    over = snapshot(state().ended(Status.COMPLETED, NOW))

    assert paused(over, "no budget", 600, NOW) is None


def test_awake_of_a_task_that_only_waited_changes_no_status():
    waiting = snapshot(state().but(status=Status.RUNNING, wake_at=NOW + 5))

    woken = awake(waiting, NOW)

    assert (woken.state.status, woken.state.wake_at, woken.stored_status) == (
        Status.RUNNING, None, None)
