"""Limits as Redis has them: those of the first ledgers are read, and these read ours."""

import json

import pytest

from functions.ledger.limits import Limit
from functions.ledger.requests import BudgetBody

FIELDS_OF_THE_FIRST = {"limit", "thresholds", "policy", "since", "revision"}


@pytest.mark.parametrize(("first", "now"), [("hard", "deny"), ("soft", "observe")])
def test_policy_of_the_first_ledgers_is_read_and_written_by_its_first_name(first, now):
    text = json.dumps({"limit": 7, "thresholds": [50], "policy": first, "since": 1, "revision": 3})

    limit = Limit.model_validate_json(text)

    assert (limit.policy, limit.revision) == (now, 3)
    assert json.loads(limit.stored()) == json.loads(text)


@pytest.mark.parametrize("policy", ["observe", "downgrade", "deny", "pause"])
@pytest.mark.parametrize("origin", ["", "file"])
def test_stored_limit_is_read_again(policy, origin):
    limit = Limit(limit=7, policy=policy, origin=origin)

    fields = FIELDS_OF_THE_FIRST | ({"origin"} if origin else set())
    assert Limit.model_validate_json(limit.stored()) == limit
    assert set(json.loads(limit.stored())) == fields


def test_caller_of_the_first_ledgers_sets_a_policy_by_its_first_name():
    assert BudgetBody.model_validate({"limit": 1, "policy": "soft"}).policy == "observe"


@pytest.mark.parametrize("policy", ["Hard", "", 1, None])
def test_unknown_policy_is_refused(policy):
    with pytest.raises(ValueError, match="policy"):
        Limit(limit=1, policy=policy)
