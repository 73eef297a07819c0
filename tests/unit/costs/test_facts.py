import dataclasses
import json

import pytest
from pydantic import ValidationError

from functions.costs.events.facts import read
from functions.costs.events.packing import UnknownFormat, pack, unpack
from functions.costs.questions.rows import Sums
from shared.errors import Malformed, Permanent

LINE = {"sku": "scripted/small:input_uncached", "meter": "input_uncached", "qty": 1,
        "unit_price": "0.00000015"}


def test_attributed_event_counts_cost_tokens_and_one_invocation(ledger):
    fact = read(ledger.attributed("r-1", cost=1500, tokens=(100, 20)))

    assert fact.sums == Sums(1500, 1, 120)
    assert (fact.tenant, fact.agent, fact.task, fact.what, fact.name, fact.number, fact.day) == (
        "acme", "researcher", "t-1", "llm", "scripted/small", 1, "2026-11-20")


def test_denied_event_adds_to_no_sum(ledger):
    fact = read(ledger.denied("r-1"))

    assert (fact.kind, fact.sums, fact.what) == ("denied", Sums(), "")
    assert fact.amounts == {"denials": 1}


def test_threshold_belongs_to_no_task(ledger):
    assert read(ledger.threshold("x")).task == ""


def test_field_that_is_new_does_not_lose_the_event(ledger):
    event = ledger.attributed("r-1")
    newer = dataclasses.replace(event, data=json.dumps(event.json() | {"later": 1}).encode())

    assert read(newer) == read(event)


@pytest.mark.parametrize("change", [
    {"source": "/gateway"}, {"source": "/ledger/UPPER"}, {"source": "/ledger/other"},
    {"time": None}, {"time": "1969-12-31T23:59:59Z"}, {"time": "2243-10-17T00:00:00Z"},
    {"id": "x" * 300},
    {"extensions": {}}, {"extensions": {"ledgerseq": "0"}}, {"extensions": {"ledgerseq": "-1"}},
    {"extensions": {"ledgerseq": "1", "tenantid": "other"}},
])
def test_event_that_contradicts_itself_is_malformed(ledger, change):
    event = dataclasses.replace(ledger.attributed("r-1"), **change)

    with pytest.raises(Malformed):
        read(event)


def test_type_of_others_is_refused_for_good(ledger):
    with pytest.raises(Permanent):
        read(dataclasses.replace(ledger.attributed("r-1"), type="dev.tollgate.task.completed.v1"))


def test_adjustment_adds_its_difference_and_no_invocation(ledger):
    fact = read(ledger.adjusted("r-1", delta=-300))

    assert (fact.sums, fact.what, fact.name) == (Sums(-300, 0, 0), "llm", "scripted/small")


@pytest.mark.parametrize("epoch", ["", "a:b", "x" * 65])
def test_number_needs_an_epoch(ledger, epoch):
    ledger.epoch = epoch

    with pytest.raises(Malformed):
        read(ledger.attributed("r-1"))


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"cost": {"total_nano": -1}}',
                                  b'{"cost": {"total_nano": 9007199254740992}}'])
def test_data_that_cannot_be_added_is_refused(ledger, data):
    event = dataclasses.replace(ledger.attributed("r-1"), data=data)

    with pytest.raises((ValidationError, Malformed)):
        read(event)


@pytest.mark.parametrize("change", [
    {"lines": [{}]}, {"lines": [LINE | {"qty": "many"}]}, {"lines": [LINE | {"qty": -1}]},
    {"lines": [LINE | {"unit_price": "1e9"}]}, {"lines": [LINE | {"unit_price": "NaN"}]},
    {"lines": [{"meter": "input_uncached", "qty": 1, "unit_price": "1"}]}], ids=str)
def test_line_that_no_export_could_bill_is_refused(ledger, change):
    event = ledger.attributed("r-1")
    cost = {**event.json()["cost"], **change}

    with pytest.raises(ValidationError, match=r"cost\.lines"):
        read(dataclasses.replace(event, data=json.dumps({**event.json(), "cost": cost}).encode()))


@pytest.mark.parametrize("at", ["yesterday", "2026-11-20T10:00:00", "1700000000", ""])
def test_time_that_no_page_could_show_is_refused(ledger, at):
    event = ledger.attributed("r-1")
    ran = {**event.json()["invocation"], "started": at}
    data = json.dumps({**event.json(), "invocation": ran}).encode()

    with pytest.raises(ValidationError, match="started"):
        read(dataclasses.replace(event, data=data))


def test_packed_event_comes_back_whole(ledger):
    event = ledger.attributed("r-1")

    assert unpack(pack(event)) == event


def test_packed_event_is_small(ledger):
    assert len(pack(ledger.attributed("r-1"))) < 600


def test_event_packed_by_a_later_release_is_transient(ledger):
    with pytest.raises(UnknownFormat):
        unpack(b"\x02" + pack(ledger.attributed("r-1"))[1:])
