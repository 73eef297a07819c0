"""Windows, accounts and limits, decided without I/O."""

from datetime import UTC, datetime

import pytest

from functions.ledger.accounts import accounts_of
from functions.ledger.limits import Limit, Limits, refuse_too_many
from functions.ledger.store import Tenant
from functions.ledger.windows import windows_at
from shared.auth import Grant, TaskLimits
from shared.errors import Permanent

NOON = datetime(2026, 10, 7, 12, 30, 15, tzinfo=UTC).timestamp()


def grant(ancestors=0, session="s1"):
    above = tuple(TaskLimits(task=f"a{n}", usd=1, tok=1) for n in range(ancestors))
    return Grant(tenant="acme", agent="researcher", session=session, root="t1", ancestors=above,
                 limits=TaskLimits(task="t1", usd=5, tok=6), exp=0)


def names(limits=None, **of):
    found = accounts_of(grant(**of), "model|scripted/x", limits or Limits(), windows_at(NOON))
    return [account.name for account in found.all]


def test_windows_are_named_in_the_tenants_time_zone():
    utc, tokyo = windows_at(NOON), windows_at(NOON, "Asia/Tokyo")

    assert utc.labels == {"life": "life", "h": "h|2026-10-07T12", "d": "d|2026-10-07",
                          "w": "w|2026-W41", "m": "m|2026-10"}
    assert tokyo.labels["h"] == "h|2026-10-07T21"


def test_windows_are_right_for_their_clock_hour_only():
    windows = windows_at(NOON)
    start = int(datetime(2026, 10, 7, 12, tzinfo=UTC).timestamp() * 1000)

    assert start in windows
    assert start + 3_599_999 in windows
    assert start - 1 not in windows
    assert start + 3_600_000 not in windows


def test_week_of_the_new_year_belongs_to_its_iso_year():
    assert windows_at(datetime(2027, 1, 1, tzinfo=UTC).timestamp()).labels["w"] == "w|2026-W53"


def test_call_is_charged_to_tenant_agent_session_and_task():
    assert names() == [
        "tenant|acme|life", "tenant|acme|m|2026-10", "tenant|acme|d|2026-10-07",
        "agent|researcher|life", "agent|researcher|m|2026-10", "agent|researcher|d|2026-10-07",
        "session|s1|life", "task|t1|life"]


def test_every_ancestor_task_is_charged():
    assert names(ancestors=4)[7:] == ["task|t1|life", *(f"task|a{n}|life" for n in range(4))]


def test_model_is_charged_from_the_moment_a_limit_names_it():
    limits = Limits(entries={"model|scripted/x|d|usd": Limit(limit=9)})

    assert names(limits)[-1] == "model|scripted/x|d|2026-10-07"


def test_separator_in_an_id_cannot_reach_another_account():
    assert "session|a%7Clife|life" in names(session="a|life")


def test_limits_of_a_task_come_from_its_grant():
    found = accounts_of(grant(), "tool|t", Limits(), windows_at(NOON))

    task = found.all[found.task_position - 1]
    assert (task.name, task.limits, task.own) == ("task|t1|life", ("5", "6", ""), True)
    assert task.held == "1209600;1;5;6;;"


def test_observed_limit_alerts_and_refuses_nothing():
    limits = Limits(entries={"tenant|acme|life|usd": Limit(limit=9, policy="observe",
                                                          thresholds=(50, 100))})

    found = limits.of("tenant|acme", "life")
    assert (found.hard, found.alerts) == (("", "", ""), "usd:9:50,100:0;")


def test_limit_that_downgrades_is_one_only_for_callers_with_a_cheaper_way():
    limits = Limits(entries={"tenant|acme|life|usd": Limit(limit=9, policy="downgrade")})

    assert limits.of("tenant|acme", "life").hard == ("", "", "")
    assert limits.of("tenant|acme", "life", flexible=True).hard == ("9", "", "")


def test_budget_that_gives_a_call_too_many_accounts_is_refused():
    windows = [f"tenant|acme|{w}|usd" for w in "hw"] + [f"agent|x|{w}|usd" for w in "hw"]
    fits = Limits(entries=dict.fromkeys(windows, Limit(limit=1)))

    refuse_too_many(fits)
    with pytest.raises(Permanent, match="17 accounts"):
        refuse_too_many(Limits(entries=fits.entries | {"model|m|d|usd": Limit(limit=1)}))


def known(**changes):
    """What a ledger remembers of a tenant."""
    return Tenant(**({"limits": Limits(), "windows": windows_at(NOON), "read_at": NOON} | changes))


def test_calls_of_a_task_share_their_accounts():
    tenant = known()

    first = tenant.accounts(grant(), "tool|t", flexible=False)

    assert tenant.accounts(grant(), "tool|t", flexible=False) is first
    assert tenant.accounts(grant(), "tool|u", flexible=False) is not first
    assert tenant.accounts(grant(session="other"), "tool|t", flexible=False) != first


def test_accounts_of_another_day_are_other_ones():
    tenant = known()
    today = tenant.accounts(grant(), "tool|t", flexible=False)

    tenant.moved(windows_at(NOON + 86_400))

    assert tenant.accounts(grant(), "tool|t", flexible=False).names != today.names


def test_remembered_accounts_have_a_maximum(monkeypatch):
    monkeypatch.setattr("functions.ledger.store.ACCOUNTS_KNOWN_MAX", 2)
    tenant = known()

    for n in range(5):
        found = tenant.accounts(grant(), f"tool|t{n}", flexible=False)

    assert tenant.accounts(grant(), "tool|t4", flexible=False) is found
    assert len(tenant._accounts) <= 2
