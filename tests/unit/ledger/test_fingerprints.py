"""A repeat is known by what it says, whichever release of the ledger heard it first."""

from hypothesis import given
from hypothesis import strategies as st

from functions.ledger.call import PRINT_CHARS, printed
from functions.ledger.finishing import settled_print
from functions.ledger.requests import SettleBody
from shared.ids import digest

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
COUNTS = st.integers(0, 2**53 - 1)


@given(st.lists(st.none() | COUNTS | TEXTS))
def test_fingerprint_is_that_of_canonical_json(said):
    assert printed(said) == digest(said)[:PRINT_CHARS]


@given(st.dictionaries(TEXTS, COUNTS, max_size=3), COUNTS, st.none() | TEXTS.filter(len))
def test_fingerprint_of_a_settlement_does_not_depend_on_order(requests, count, model):
    said = {"output_text": count, "requests": requests}
    backwards = {"requests": dict(reversed(requests.items())), "output_text": count}
    first, second = (SettleBody.model_validate({"usage": usage, "response_model": model})
                     for usage in (said, backwards))

    assert settled_print(first) == settled_print(second)
    assert settled_print(first) == digest(
        [first.usage.model_dump(), first.response_model, None])[:PRINT_CHARS]
