"""Budgets as YAML: what a file wants, and where a malformed one is wrong."""

import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.ledger.budget_file import read
from functions.ledger.budget_yaml import Faults
from shared.limits import AMOUNT_MAX

DOCUMENT = (Path(__file__).parents[3] / "docs" / "budgets.md").read_text()
EXAMPLE = re.search(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)[1]


def faults(text):
    with pytest.raises(Faults) as raised:
        read(text)
    return [f"{fault['path']}: {fault['message']}" for fault in raised.value.extra["errors"]]


def test_example_of_the_document_is_read():
    wanted = read(EXAMPLE)

    acme = wanted.tenants["acme"]
    assert acme.zone == "Europe/Berlin"
    assert {name: limit.limit for name, limit in acme.limits.items()} == {
        "tenant|acme|m|usd": 250 * 10**9, "agent|researcher|d|usd": 5 * 10**9,
        "agent|researcher|d|tok": 2_000_000, "agent|researcher|d|calls": 10_000,
        "model|openai/gpt-4o|d|usd": 20 * 10**9, "tool|notify|h|calls": 60}
    assert [limit.policy for limit in acme.limits.values()] == [
        "pause", "deny", "deny", "deny", "observe", "deny"]
    assert acme.limits["tenant|acme|m|usd"].thresholds == (50, 80, 100)
    cap = wanted.caps["everybody"]
    assert (cap.unit, cap.limit, cap.chunk, cap.window) == ("usd", 10**12, 10**10, "m")


@pytest.mark.parametrize(("good", "bad", "where", "told"), [
    ("window: month  ", "windoww: month", "line 7, tenants.acme.budgets[0].windoww", "not perm"),
    ('usd: "5"', 'usd: "-5"', "line 14, tenants.acme.budgets[1].usd", "greater than or equal to 0"),
    ('usd: "5"', "usd: much", "line 14, tenants.acme.budgets[1].usd", "not 'much'"),
    ('usd: "5"', 'usd: "0.0000000001"', "line 14, tenants.acme.budgets[1].usd", "9 decimal"),
    ('usd: "5"', 'usd: "9007200"', "line 14, tenants.acme.budgets[1].usd", "less than"),
    ("tokens: 2000000", "tokens: 1.5", "line 15, tenants.acme.budgets[1].tokens", "integer"),
    ("calls: 60", f"calls: {AMOUNT_MAX + 1}", "line 25, tenants.acme.budgets[3].calls", "less"),
    ("Europe/Berlin", "Europe/Berlim", "line 4, tenants.acme.timezone", "no time zone"),
    ("scope: tool", "scope: tol", "line 22, tenants.acme.budgets[3].scope", "'tenant', 'agent'"),
    ("id: notify", "", "line 22, tenants.acme.budgets[3]", "needs an id"),
    ("calls: 60", "", "line 22, tenants.acme.budgets[3]", "at least one of usd, tokens and calls"),
    ("policy: pause", "policy: stop", "line 10, tenants.acme.budgets[0].policy", "'pause'"),
    ("[50, 80, 100]", "[0]", "line 9, tenants.acme.budgets[0].thresholds[0]", "equal to 1"),
    ("version: 1 ", "version: 2 ", "line 1, version", "'1'"),
    ("tokens: 2000000", "usd: 5", "line 15, tenants.acme.budgets[1].usd", "twice"),
    ("scope: model", "scope: agent\n        id: researcher\n        calls: 5\n        #",
     "line 21, tenants.acme.budgets[2].id", "twice"),
    ("scope: tool\n        id: notify\n        window: hour",
     "scope: agent\n        id: researcher\n        window: day",
     "line 22, tenants.acme.budgets[3]", "has a budget already"),
    ("label: contract-2026", 'label: ""', "line 27, tenants.acme.prices.label", "match"),
    ('{input_uncached: "2.00", ', "{", "line 29, tenants.acme.prices.models.openai/gpt-4o",
     "input_uncached is missing"),
    ('chunk: "10"', 'chunk: "0"', "line 35, platform[0]", "chunk: at least"),
    ("acme:", "acme: 5\n  other:", "line 3, tenants.acme", "names with values, not '5'"),
    ('usd: "1000"', "", "line 35, platform[0]", "give exactly one"),
    ("tenants: [acme,", "tenants: [Acme,", "line 39, platform[0].tenants[0]", "'Acme'"),
])
def test_fault_is_named_with_its_line_and_field(good, bad, where, told):
    assert good in EXAMPLE

    found = faults(EXAMPLE.replace(good, bad, 1))

    assert any(fault.startswith(f"{where}: ") and told in fault for fault in found), found


def test_every_fault_is_named_at_once():
    found = faults(EXAMPLE.replace("calls: 60", "calls: x").replace('usd: "5"', "usd: x"))

    assert [fault.split(":")[0] for fault in found] == [
        "line 14, tenants.acme.budgets[1].usd", "line 25, tenants.acme.budgets[3].calls"]


@pytest.mark.parametrize("text", [
    "", "x", "- 1", "a: [", "\t", "? [a]\n: 1", "version: 1\ntenants: []", "a: &x [*x]",
    "version: 1\nversion: 1", "version: 1\n" + "#" * 600_000,
    "a: &a [1]\nb: &b [*a, *a]\n" + "".join(
        f"c{n}: &c{n} [*{'b' if n == 0 else f'c{n - 1}'}, *b, *b]\n" for n in range(9))])
def test_text_that_is_no_budget_file_is_refused(text):
    assert faults(text)[0].startswith("line ")


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text):
    with suppress(Faults):
        read(text)


def test_budget_of_another_tenant_stands_under_its_own_name():
    found = faults(EXAMPLE.replace("scope: tenant ", "id: globex\n        scope: tenant "))

    assert found == ["line 6, tenants.acme.budgets[0]: "
                     "the budget of tenant globex stands under tenant acme"]
