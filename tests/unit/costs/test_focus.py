"""FOCUS rows: their sums, their units, whose they are, and both forms of a file."""

import csv
import io
import json
from dataclasses import replace
from decimal import Decimal

import pytest

from eventing.focus.check import check
from eventing.focus.columns import NAMES
from eventing.focus.files import ParquetTable, checked_file, csv_lines
from functions.costs.events.facts import read
from functions.costs.export.focus import Charges
from functions.costs.export.invoice import Invoice, as_csv, as_text


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

    assert (found["ConsumedQuantity"], found["BilledCost"]) == ("200", "0.00003000")


def test_tokens_are_priced_by_the_million_and_consumed_one_by_one(rows):
    units = {(row["PricingUnit"], row["ConsumedUnit"]) for row in rows if row["SkuId"]}
    tokens = next(row for row in rows if row["SkuId"] == "scripted/small:input_uncached")

    assert units == {("1000000 Tokens", "Tokens")}
    assert (tokens["PricingQuantity"], tokens["ListUnitPrice"]) == ("0.0002", "0.15")
    assert tokens["SkuPriceId"] == "scripted/small:input_uncached@0.15"


def charged(event, sku, meter, price):
    data = event.json()
    data["cost"]["lines"] = [{"sku": f"{sku}:{meter}", "meter": meter, "qty": 1,
                              "unit_price": price, "cost_usd": price}]
    charges = Charges("acme", "2026-11")
    charges.add(replace(event, data=json.dumps(data).encode()))
    return list(charges.rows())


def test_tool_of_a_provider_without_a_price_is_said_to_be_unpriced(ledger):
    (row,) = charged(ledger.attributed("r-1", cost=0), "openai/gpt-5",
                     "unpriced:image_generation", "0")

    assert (row["SkuMeter"], row["PricingUnit"], row["BilledCost"]) == (
        "unpriced:image_generation", "Requests", "0")


def test_charge_of_a_tool_is_a_request(ledger):
    event = ledger.attributed("r-1", cost=5_000, tool="calculator")

    (row,) = charged(event, "tool/calculator@1.0.0", "calls", "0.000005")

    assert (row["PricingUnit"], row["PricingQuantity"], row["ListUnitPrice"]) == (
        "Requests", "1", "0.000005")
    assert row["ServiceSubcategory"] == "Other (AI and Machine Learning)"
    assert json.loads(row["SkuPriceDetails"]) == {"x_Meter": "calls",
                                                  "x_Of": "tool/calculator@1.0.0"}


def test_resource_is_the_agent_under_its_tenant(rows, ledger):
    charges = Charges("acme", "2026-11")
    charges.add(ledger.attributed("r-1", agent=""))

    assert {(row["ResourceId"], row["ResourceName"]) for row in rows} == {
        ("acme/researcher", "researcher"), ("acme/b", "b")}
    assert {(row["ResourceId"], row["ResourceType"]) for row in charges.rows()} == {(None, None)}


def test_charge_lies_within_its_billing_period(rows):
    assert all(row["BillingPeriodStart"] <= row["ChargePeriodStart"]
               and row["ChargePeriodEnd"] <= row["BillingPeriodEnd"] for row in rows)


def test_rounding_and_adjustments_are_no_usage(rows):
    kinds = {(row["ChargeCategory"], row["ChargeClass"]) for row in rows}

    assert kinds == {("Usage", None), ("Adjustment", None)}


@pytest.mark.parametrize(("accounts", "charge_class"), [
    (["tenant|acme|life", "tenant|acme|m|2026-10", "agent|a|m|2026-11"], "Correction"),
    (["tenant|acme|m|2026-11", "agent|a|m|2026-10"], None), (["tenant|acme|life"], None)])
def test_adjustment_of_an_earlier_month_alone_is_a_correction(ledger, accounts, charge_class):
    event = ledger.adjusted("r-1", delta=-301)
    data = event.json()
    data["ledger"]["accounts"] = accounts
    charges = Charges("acme", "2026-11")

    charges.add(replace(event, data=json.dumps(data).encode()))

    (row,) = charges.rows()
    assert (row["ChargeClass"], row["BilledCost"]) == (charge_class, "-0.000000301")
    assert check(NAMES, [row]).faults == []


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


def test_every_number_of_a_csv_file_has_a_point(rows):
    lines = list(csv.DictReader(io.StringIO(csv_lines(rows, header=True))))

    assert {row["ConsumedQuantity"] for row in lines} == {"200.0", "100.0", ""}


@pytest.mark.parametrize(("text", "said"), [
    ("BilledCost,Tags\r\n1\r\n", "row 1 has 1 cells, the header has 2"),
    ("BilledCost\r\n1,2\r\n", "row 1 has 2 cells"), ('BilledCost\r\n"1\r\n', "line 2: "),
    ("\x00", "mandatory column BilledCost is missing")])
def test_file_that_is_no_table_is_named(tmp_path, text, said):
    file = tmp_path / "focus.csv"
    file.write_text(text, newline="")

    try:
        found = " ".join(checked_file(file).faults)
    except ValueError as error:
        found = str(error)

    assert said in found


def test_invoice_adds_up_to_the_events_in_every_form(rows, events):
    summing = Invoice("acme", "2026-11")
    for some in (rows[:3], [], rows[3:]):
        summing.add(some)

    found = summing.told()

    total = sum(read(event).sums.cost_nano for event in events)
    assert found["total_nano"] == total
    assert sum(Decimal(line["cost_usd"]) for line in found["lines"]) * 10**9 == total
    assert all(Decimal(line["quantity"]) * Decimal(line["unit_price"]) == Decimal(line["cost_usd"])
               for line in found["lines"] if line["quantity"])
    assert as_csv(found).splitlines()[-1].endswith(found["total_usd"])
    assert found["total_usd"] in as_text(found).splitlines()[-1]
