"""Computes from manifests and named limits what must hold between times (architecture, 5 and 6)."""

import json

import pytest

from eventing.local.manifests.deployment import load
from eventing.local.options import ROOT
from eventing.local.policy import policy_of
from functions.deadletters import letter
from functions.tools.catalogue import catalogue
from shared import limits

BASE = load(ROOT / "knative" / "base")
TRIGGERS = {name: trigger for (_, name), trigger in BASE.triggers.items()}
SERVICES = {name: service for (_, name), service in BASE.services.items()}
CONFIG = BASE.config_maps["tollgate", "tollgate"]
TOOLS = {tool.name: tool for tool in catalogue().tools}
AGENTS = {agent.name for agent in catalogue().agents}


def timeout_s(function):
    return SERVICES[function].spec.template.spec.timeout_seconds


def waits_s(policy):
    return sum(policy.wait_s(n) for n in range(1, policy.retry + 1))


def model_attempts_s():
    """Return how long all model attempts of one delivery may take, waits between them included."""
    waits = (min(0.5 * 2**n, limits.MODEL_WAIT_MAX_S) for n in range(1, limits.ATTEMPTS_MAX))
    return limits.ATTEMPTS_MAX * limits.MODEL_TIMEOUT_S + sum(waits)


@pytest.mark.parametrize("name", TRIGGERS)
def test_a_triggers_retries_outlast_a_handler_and_its_claim(name):
    spec = TRIGGERS[name].spec
    policy = policy_of(spec.delivery, None)

    assert (policy.retry, policy.delay_s, policy.linear) == (10, 0.2, False)
    assert waits_s(policy) > limits.HANDLER_TIMEOUT_S + limits.CLAIM_LEASE_S
    assert policy.timeout_s >= max(60, timeout_s(spec.subscriber.ref.name))


@pytest.mark.parametrize("agent", sorted(AGENTS))
def test_all_model_attempts_fit_into_one_delivery(agent):
    assert model_attempts_s() + 10 < timeout_s(agent)
    assert model_attempts_s() < limits.HANDLER_TIMEOUT_S < timeout_s(agent)
    assert timeout_s(agent) >= limits.STREAM_MAX_S


@pytest.mark.parametrize("tool", sorted(TOOLS))
def test_a_tools_run_fits_into_one_delivery_and_into_silence(tool):
    assert TOOLS[tool].timeout_s + 10 <= timeout_s(tool)
    assert TOOLS[tool].timeout_s < float(CONFIG["TOLLGATE_STEP_SILENCE_S"])


def test_a_claim_outlives_missed_renewals():
    assert 2 * limits.CLAIM_RENEW_S < limits.CLAIM_LEASE_S


def test_a_silent_step_is_none_that_is_still_being_taken():
    silence_s = float(CONFIG["TOLLGATE_STEP_SILENCE_S"])

    assert silence_s == limits.STEP_SILENCE_S
    assert silence_s > limits.HANDLER_TIMEOUT_S > model_attempts_s()


def test_callers_are_answered_before_the_platform_cuts_them_off():
    assert timeout_s("gateway") > limits.RUN_WAIT_MAX_S
    assert timeout_s("gateway") > limits.STREAM_MAX_S


def test_whatever_may_come_late_finds_its_trace():
    assert limits.TOPIC_RETENTION_S + limits.REDRIVE_MAX_S < limits.STATE_TTL_S
    assert limits.POST_UNKNOWN_MAX_S < limits.STATE_TTL_S
    assert limits.DEADLINE_MAX_S <= limits.GRANT_GRACE_S


def test_the_last_redrive_comes_within_the_longest_allowed():
    times = max(letter.REDRIVES_MAX, letter.LEDGER_REDRIVES_MAX)
    waits = sum(letter.BACK_OFF_S * 2**n for n in range(times))
    tries = sum(waits_s(policy_of(t.spec.delivery, None)) + 11 * limits.HANDLER_TIMEOUT_S
                for t in list(TRIGGERS.values())[:1]) * (times + 1)

    assert waits + tries < limits.REDRIVE_MAX_S


def test_the_committed_catalogue_is_the_codes():
    stored = json.loads(BASE.config_maps["tollgate", "catalogue"]["catalogue.json"])

    assert stored == catalogue().model_dump(mode="json")
