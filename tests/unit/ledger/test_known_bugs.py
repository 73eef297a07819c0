"""Which test shows that a bug which users of other ledgers met cannot happen here."""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2]
BUGS = {
    "concurrent calls pass one by one":
        "test_64_workers_overspend_nothing_and_every_moment_is_sound",
    "the very first calls of an unknown account pass":
        "test_first_calls_of_an_account_that_nobody_knew_are_counted_together",
    "an estimate above the headroom is admitted":
        "test_estimate_above_what_is_left_is_never_shrunk_and_admitted",
    "each process counts its own budget": "test_two_processes_share_one_budget",
    "an unknown price is nothing": "test_unknown_price_is_refused_never_free",
    "a cached prompt costs less than nothing":
        "test_cached_prompt_costs_less_and_never_below_nothing",
    "another provider answers after a budget stop": "test_blocked_account_is_not_asked_again",
    "an evicting Redis forgets spend": "test_redis_that_evicts_is_refused_at_the_start",
    "a path never releases its hold":
        "test_sweep_forfeits_a_dispatched_call_whose_lease_is_over",
    "a reply is lost after the script ran, then retried":
        "test_lost_answer_is_asked_again_and_gives_one_permit",
    "a settlement fails half-way":
        "test_redis_that_takes_no_writes_is_unavailable_and_changes_nothing",
    "pending events are lost at the end of a process":
        "test_event_read_by_a_ledger_that_died_is_published_by_another",
    "one call is recorded twice": "test_redelivered_event_is_acknowledged_and_changes_nothing",
    "missing usage drops the record": "test_a_stream_without_usage_is_estimated_never_zero",
    "tags of the caller overwrite dims": "test_tags_of_the_caller_never_become_dims",
    "a key is claimed before the write, so that the retry writes nothing":
        "test_costs_equal_the_ledger_whatever_happens_to_its_events",
    "each retry has a new random id": "test_a_task_survives_a_kill",
    "a stored answer is charged again":
        "test_same_settle_again_answers_the_same_and_changes_nothing",
    "a fallback's answer is priced as the model asked for":
        "test_answer_of_a_fallback_model_is_priced_as_that_model",
    "cached tokens count twice": "test_usage_comes_in_disjoint_classes",
    "a stream without usage is free": "test_a_stream_without_usage_is_estimated_never_zero",
    "a cancelled stream is free": "test_stream_aborted_at_any_chunk_is_never_billed_as_nothing",
    "an explicit zero is taken for missing": "test_explicit_zero_is_a_value_and_no_missing_one",
    "a window never resets": "test_new_window_begins_at_nothing_and_the_old_one_keeps_its_spend",
    "a reset wipes fresh spend": "test_editing_a_budget_never_resets_spend",
    "a window that is added carries the spend of before":
        "test_window_that_is_added_later_carries_no_spend_of_before",
    "an alert on every request, never, or twice": "test_thresholds_fire_once_per_window",
}


@pytest.fixture(scope="module")
def names():
    return {node.name for path in TESTS.rglob("test_*.py")
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize("bug", BUGS)
def test_known_bug_has_a_test_of_its_own(names, bug):
    assert BUGS[bug] in names
