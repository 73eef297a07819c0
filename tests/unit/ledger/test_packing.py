"""Documents of ended calls are small, come back whole, and stay readable for 14 days."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.ledger.call import Facts
from functions.ledger.packing import SHARED, pack, plain, unpack
from shared.errors import Transient

JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(),
                    lambda x: st.lists(x) | st.dictionaries(st.text(), x), max_leaves=10)
CALL = {"invocation": {"id": "r1", "kind": "llm"}, "dims": {"tenant": "acme", "agent": "a"}}


@given(st.dictionaries(st.text(), JSON), st.from_regex(r"[a-z]{1,9}", fullmatch=True))
def test_any_document_comes_back_whole(document, tenant):
    assert unpack(pack(document, tenant, "r1"), tenant, "r1") == document


def test_row_of_an_open_call_or_an_earlier_version_is_read():
    found = Facts.stored(("tenant|acme|life", json.dumps(CALL), "7"), "acme", "r1")

    assert (found.accounts, found.call, found.reserved_nano) == ("tenant|acme|life", CALL, 7)


def test_what_a_row_keeps_is_what_it_said():
    facts = Facts("tenant|acme|life task|t1|life", CALL, 7)
    row = ("0123456789abcdef", facts.kept(pack, "acme", "r1"), "7")

    assert Facts.stored(row, "acme", "r1") == facts


def test_form_of_a_later_version_is_transient():
    with pytest.raises(Transient, match="a later version wrote"):
        unpack("2abc", "acme", "r1")


def test_dictionary_of_a_form_never_changes():
    digest = hashlib.sha256(SHARED).hexdigest()

    assert digest.startswith("37cb21acfc49d6bb"), "what it packed cannot be read: make a new form"


def test_plain_document_is_json_that_every_ledger_reads():
    text = plain({"accounts": "task|t|life", "dims": {}}, "acme", "r1")

    assert json.loads(text) == unpack(text, "acme", "r1") == {
        "accounts": "task|t|life", "dims": {}}
