import pytest

from functions.costs.pages.now import account
from functions.costs.pages.trust import against_invoice
from functions.costs.pages.view import duration

LINE = {"day": "2026-11-20", "provider": "p", "model": "m", "token_class": "input_uncached",
        "events_quantity": 1, "events_nano": 5, "invoice_quantity": None, "invoice_nano": None,
        "difference_quantity": None, "difference_nano": None, "agrees": None}


@pytest.mark.parametrize(("name", "said"), [
    ("tenant|acme|d|2026-11-21", "tenant acme, day 2026-11-21"),
    ("tenant|acme|w|2026-W47", "tenant acme, week 2026-W47"), ("task|t-1|life", "task t-1"),
    ("agent|a%7Cb|h|2026-11-21T10", "agent a|b, hour 2026-11-21T10"), ("odd", "odd"),
    (None, "–")])
def test_accounts_are_named_for_people(name, said):
    assert account(name) == said


@pytest.mark.parametrize(("milliseconds", "said"), [
    (7_199_000, "119 min"), (7_200_000, "2 h 0 min"), (172_799_000, "47 h 59 min"),
    (172_800_000, "2 days"), (122_392_020_000, "1,416 days")])
def test_long_times_are_said_in_days(milliseconds, said):
    assert duration(milliseconds) == said


def test_events_alone_are_no_comparison_with_an_invoice():
    billed = {**LINE, "token_class": "output_text", "invoice_nano": 5, "agrees": True}

    assert list(against_invoice([LINE]).rows) == []
    assert len(against_invoice([LINE, billed]).rows) == 2
