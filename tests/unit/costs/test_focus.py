"""FOCUS rows: their sums, their products, and that every rule of the check can fail."""

from decimal import Decimal

import pytest

from eventing.focus.check import check
from eventing.focus.columns import COLUMNS, NAMES
from eventing.focus.files import ParquetTable, checked_file, csv_lines
from functions.costs.facts import read
from functions.costs.focus import Charges
from functions.costs.invoice import as_csv, as_text, invoice


@pytest.fixture
def events(ledger):
    return [ledger.attributed("r-1", cost=15_001), ledger.attributed("r-2", cost=15_000),
            ledger.attributed("r-3", cost=7, tool="calculator", agent="b"),
            ledger.adjusted("r-1", delta=-301), ledger.denied("r-4"), ledger.threshold("x"),
            ledger.attributed("r-5", cost=9, at="2026-11-21T00:00:00Z")]


@pytest.fixture
def rows(events):
    charges = Charges("acme", "2026-11")
    for event in events:
        charges.add(event)
    return list(charges.rows())


def test_rows_keep_every_rule_and_add_up_to_the_events(rows, events):
    report = check(NAMES, rows)

    assert (report.faults, report.rows) == ([], len(rows))
    assert report.billed * 10**9 == sum(read(event).sums.cost_nano for event in events)


def test_equal_unit_prices_of_a_day_share_a_row(rows):
    (found,) = [row for row in rows if row["ChargeCategory"] == "Usage"
                and row["ServiceName"] == "scripted/small"
                and row["ChargePeriodStart"] == "2026-11-20T00:00:00Z"]

    assert (found["PricingQuantity"], found["BilledCost"]) == ("200", "0.00003000")


def test_corrections_and_rounding_are_adjustments(rows):
    kinds = {(row["ChargeCategory"], row["ChargeClass"]) for row in rows}

    assert kinds == {("Usage", None), ("Adjustment", None), ("Adjustment", "Correction")}


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_file_says_the_same_as_the_rows(rows, tmp_path, form):
    file = tmp_path / f"focus.{form}"
    if form == "csv":
        file.write_text(csv_lines(rows, header=True), newline="")
    else:
        table = ParquetTable()
        file.write_bytes(table.add(rows[:2]) + table.add([]) + table.add(rows[2:]) + table.close())

    report = checked_file(file)

    assert (report.faults, report.rows, report.billed) == (
        [], len(rows), check(NAMES, rows).billed)


@pytest.mark.parametrize(("change", "said"), [
    ({"BilledCost": None}, "BilledCost is empty"),
    ({"BilledCost": "a lot"}, "which is no decimal"),
    ({"BilledCost": "NaN"}, "which is no decimal"),
    ({"BillingCurrency": "EUR"}, "allowed are USD"),
    ({"ChargeCategory": "Fun"}, "allowed are Usage"),
    ({"ChargeClass": "Mistake"}, "allowed are Correction"),
    ({"ChargePeriodStart": "2026-11-20"}, "which is no instant"),
    ({"ChargePeriodEnd": "2026-11-19T00:00:00Z"}, "ChargePeriodEnd is not after"),
    ({"BillingPeriodStart": "2026-11-29T00:00:00Z"}, "before BillingPeriodStart"),
    ({"ListUnitPrice": "1"}, "ListUnitPrice × PricingQuantity"),
    ({"ContractedUnitPrice": None}, "ContractedUnitPrice is empty: usage has one"),
    ({"PricingUnit": None}, "belong together"),
    ({"Tags": "[]"}, "which is no json"),
    ({"ServiceCategory": "Magic"}, "allowed are AI"),
])
def test_row_that_breaks_a_rule_is_named_with_it(rows, change, said):
    usage = next(row for row in rows if row["ChargeCategory"] == "Usage")

    report = check(NAMES, [usage | change])

    assert said in " ".join(report.faults)
    assert report.faults[0].startswith("row 1: ")


@pytest.mark.parametrize("column", [c.name for c in COLUMNS if c.mandatory])
def test_missing_mandatory_column_is_named(column):
    report = check([name for name in NAMES if name != column], [])

    assert report.faults == [f"header: the mandatory column {column} is missing"]


def test_column_of_nobody_is_named():
    assert "BilledCosts" in check([*NAMES, "BilledCosts", "x_mine"], []).faults[0]


def test_invoice_adds_up_to_the_events_in_every_form(rows, events):
    found = invoice("acme", "2026-11", rows)

    total = sum(read(event).sums.cost_nano for event in events)
    assert found["total_nano"] == total
    assert sum(Decimal(line["cost_usd"]) for line in found["lines"]) * 10**9 == total
    assert as_csv(found).splitlines()[-1].endswith(found["total_usd"])
    assert found["total_usd"] in as_text(found).splitlines()[-1]
