"""Budgets as a file and re-rating on the command line."""

from pathlib import Path

import pytest

from eventing.cli.exits import Exit
from functions.ledger.budget_file import read
from shared.limits import AMOUNT_MAX

EXAMPLE = Path(__file__).parents[3] / "examples" / "budgets.yaml"
APPLY = ("POST", "/v1/budgets:apply")
RERATES = ("POST", "/v1/rerates")
LIMIT = {"limit": 5 * 10**9, "policy": "deny"}
CHANGES = [
    {"tenant": "acme", "field": "agent|researcher|d|usd", "kind": "changed", "before": LIMIT,
     "after": LIMIT | {"limit": 10**10, "policy": "pause"}},
    {"tenant": "acme", "field": "tool|notify|h|calls", "kind": "added", "before": None,
     "after": {"limit": 60, "policy": "deny"}},
    {"tenant": "acme", "field": "zone", "kind": "removed", "before": "UTC", "after": None},
    {"tenant": "acme", "field": "caps", "kind": "added", "before": None, "after": ["all"]},
    {"tenant": None, "field": "all", "kind": "added", "before": None,
     "after": {"unit": "usd", "limit": 10**12, "window": "m"}}]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "budgets.yaml"
    path.write_text("version: 1\n")
    return path


def applied(changes=(), warnings=(), *, dry_run=False):
    return (200, {"changes": list(changes), "warnings": list(warnings), "dry_run": dry_run})


def test_apply_sends_the_file_and_prints_a_table_of_what_changed(functions, tollgate, file):
    functions.answers[APPLY] = applied(CHANGES, ["tenant acme: tool notfy has no price here"])

    result = tollgate(["budget", "apply", "-f", str(file)])

    assert functions.body() == {"text": "version: 1\n", "dry_run": False}
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0][:2] == ["warning:", "tenant"]
    assert lines[2] == ["~", "acme", "agent", "researcher", "day", "$5", "$10,", "pause"]
    assert lines[3] == ["+", "acme", "tool", "notify", "hour", "60", "calls"]
    assert lines[4][:3] == ["-", "acme", "zone"]
    assert lines[6] == ["+", "(all)", "cap", "all", "month", "$1000"]
    assert lines[-1] == ["5", "changed"]


@pytest.mark.parametrize(("dry_run", "told"), [(True, "nothing would change"),
                                               (False, "nothing changed")])
def test_apply_says_when_nothing_changes(functions, tollgate, file, dry_run, told):
    functions.answers[APPLY] = applied(dry_run=dry_run)

    result = tollgate(["budget", "apply", "-f", str(file), *(["--dry-run"] if dry_run else [])])

    assert functions.body()["dry_run"] is dry_run
    assert result.stdout.strip() == told


def test_malformed_file_is_named_with_line_and_field(functions, tollgate, file):
    functions.answers[APPLY] = (400, {"detail": "line 2, tenants.acme.budgets[0].usd: not 'x'"})

    failure = tollgate(["budget", "apply", "-f", str(file)]).exception

    assert failure.code is Exit.USAGE
    assert failure.text().splitlines()[:2] == [
        "error: line 2, tenants.acme.budgets[0].usd: not 'x'", f"  at {file}"]


def test_missing_file_is_refused_before_anything_is_asked(functions, tollgate, tmp_path):
    failure = tollgate(["budget", "apply", "-f", str(tmp_path / "none.yaml")]).exception

    assert (failure.code, functions.asked) == (Exit.USAGE, [])


def test_key_that_may_not_is_denied(functions, tollgate, file):
    functions.answers[APPLY] = (403, {"detail": "needs the right 'admin'"})

    assert tollgate(["budget", "apply", "-f", str(file)]).exception.code is Exit.DENIED


def test_remove_names_unit_window_and_revision(functions, tollgate):
    functions.answers["DELETE", "/v1/budgets/agent/researcher"] = (204, "")

    tollgate(["budget", "remove", "agent", "researcher", "--unit", "tok", "--window", "d",
              "--revision", "3"])

    assert dict(functions.asked[-1].url.params) == {"unit": "tok", "window": "d", "revision": "3"}


def test_set_sends_policy_thresholds_and_revision_where_they_are_given(functions, tollgate):
    functions.answers["PUT", "/v1/budgets/agent/researcher"] = (200, {})

    tollgate(["budget", "set", "agent", "researcher", "--calls", "5", "--policy", "pause",
              "--threshold", "50", "--threshold", "90", "--revision", "0"])

    assert functions.body() == {"unit": "calls", "window": "life", "limit": 5, "policy": "pause",
                                "thresholds": [50, 90], "revision": 0}


def test_set_of_what_may_match_nothing_says_so(functions, tollgate):
    functions.answers["PUT", "/v1/budgets/agent/a?b/c"] = (200, {
        "warnings": ["agent a?b/c has never been charged: is it spelled right?"]})

    result = tollgate(["budget", "set", "agent", "a?b/c", "--usd", "0.5", "--window", "day"])

    assert functions.body()["window"] == "d"
    assert result.stdout.splitlines() == [
        "warning: agent a?b/c has never been charged: is it spelled right?",
        "agent a?b/c: at most $0.5 per day"]


@pytest.mark.parametrize("amount", ["-1", "x", "NaN", "0.0000000001", "9007199.254740992",
                                    "1e999999"])
def test_amount_that_no_budget_can_hold_is_refused_in_the_unit_it_was_typed_in(
        functions, tollgate, amount):
    failure = tollgate(["budget", "set", "agent", "a", "--usd", amount]).exception

    assert (failure.code, functions.asked) == (Exit.USAGE, [])
    assert failure.what == (f"--usd {amount!r} is no amount from 0 to 9007199.254740991 "
                            "in steps of 0.000000001")


def test_largest_budget_is_what_the_ledger_can_hold(functions, tollgate):
    functions.answers["PUT", "/v1/budgets/agent/a"] = (200, {})

    result = tollgate(["budget", "set", "agent", "a", "--usd", "9007199.254740991"])
    beyond = tollgate(["budget", "set", "agent", "a", "--calls", str(AMOUNT_MAX + 1)])

    assert functions.body()["limit"] == AMOUNT_MAX
    assert result.stdout == "agent a: at most $9007199.254740991 in all\n"
    assert beyond.exit_code == Exit.USAGE
    assert len(functions.asked) == 1


@pytest.mark.parametrize("command", [["set", "agent", "a", "--calls", "1"],
                                     ["get", "agent", "a"], ["remove", "agent", "a"]], ids=str)
def test_window_that_is_none_is_answered_with_all_windows_and_what_they_mean(
        functions, tollgate, command):
    failure = tollgate(["budget", *command, "--window", "fortnight"]).exception

    assert (failure.code, functions.asked) == (Exit.USAGE, [])
    assert failure.what == ("--window 'fortnight' is none of "
                            "life, h (hour), d (day), w (week), m (month)")


def page(*rows, after=None, expired=0):
    return (200, {"rows": [{"id": "r", "what": what, "old_nano": old, "new_nano": new,
                            "delta_nano": new - old} for what, old, new in rows],
                  "expired": expired, "next": after, "applied": False})


def test_rerate_adds_up_all_pages_by_what_was_called(functions, tollgate, file):
    functions.answers[RERATES] = [
        page(("a/x", 10, 30), ("a/y", 5, 5), after="1-2"), page(("a/x", 20, 10), expired=1)]

    result = tollgate(["ledger", "rerate", "--from", "2026-11-01", "--to", "2026-11-02T06:00+06:00",
                       "--prices", str(file), "--dry-run"])

    assert [functions.body(n)["after"] for n in (0, 1)] == ["", "1-2"]
    body = functions.body(0)
    assert (body["end"] - body["begin"], body["apply"]) == (86400, False)
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[1] == ["a/x", "2", "2", "$0.00000003", "$0.00000004", "$0.00000001"]
    assert lines[2][:3] == ["a/y", "1", "0"]
    assert lines[-1] == ["would", "be", "adjusted", "by", "$0.00000001"]


@pytest.mark.parametrize("span", [("yesterday", "2026-11-02"), ("2026-11-02", "2026-11-01"),
                                  ("2026-11-02", "2026-11-02")])
def test_period_that_is_none_is_refused_before_anything_is_asked(functions, tollgate, file, span):
    failure = tollgate(["ledger", "rerate", "--from", span[0], "--to", span[1],
                        "--prices", str(file)]).exception

    assert (failure.code, functions.asked) == (Exit.USAGE, [])


@pytest.mark.parametrize(("detail", "what", "where"), [
    ("begin: only the last 14 days can be priced again", "only the last 14 days can be priced "
     "again", "--from 2026-01-01"),
    ("end: Input should be greater than or equal to 0", "Input should be greater than or equal "
     "to 0", "--to 2026-11-02"),
    ("line 2, models: is missing", "line 2, models: is missing", "FILE")], ids=str)
def test_refused_rerating_names_the_option_or_the_file(
        functions, tollgate, file, detail, what, where):
    functions.answers[RERATES] = (422, {"detail": detail})

    failure = tollgate(["ledger", "rerate", "--from", "2026-01-01", "--to", "2026-11-02",
                        "--prices", str(file)]).exception

    assert (failure.code, failure.what) == (Exit.USAGE, what)
    assert failure.where == where.replace("FILE", str(file))


def test_example_is_a_budget_file():
    assert read(EXAMPLE.read_text()).tenants["local"].limits


def test_list_shows_every_budget_with_its_balance(functions, tollgate):
    one = {"scope": "agent", "id": "researcher", "window": "d", "unit": "usd", "limit": 10**9,
           "posted": 5 * 10**8, "held": 0, "free": 5 * 10**8, "policy": "pause", "blocked": False}
    functions.answers["GET", "/v1/budgets"] = (200, {
        "tenant": "acme", "zone": "Asia/Tokyo", "budgets": [one, one | {"blocked": True}]})

    lines = [line.split() for line in tollgate(["budget", "list"]).stdout.splitlines()]

    assert lines[0] == ["acme", "(Asia/Tokyo)"]
    assert lines[2] == ["agent", "researcher", "day", "$1", "$0.5", "$0", "$0.5", "pause"]
    assert lines[3][-1] == "blocked"


def test_list_of_nothing_says_how_to_begin(functions, tollgate):
    functions.answers["GET", "/v1/budgets"] = (200, {"tenant": "a", "zone": "UTC", "budgets": []})

    assert "tollgate budget apply" in tollgate(["budget", "list"]).stdout
