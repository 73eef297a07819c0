"""Every rule of the check for FOCUS 1.2 can fail, and says which requirement it is."""

import pytest

from eventing.focus.check import check
from eventing.focus.columns import COLUMNS, NAMES, SPECIFIED, SUPPORTED
from eventing.focus.rules import RULES

ALL = [column.name for column in SPECIFIED]
USAGE_ROW = dict.fromkeys(ALL) | {
    "BilledCost": "3", "BillingAccountId": "acme", "BillingAccountName": "acme",
    "BillingAccountType": "Tenant", "BillingCurrency": "EUR",
    "BillingPeriodStart": "2026-11-01T00:00:00Z", "BillingPeriodEnd": "2026-12-01T00:00:00Z",
    "ChargeCategory": "Usage", "ChargeDescription": "tokens", "ChargeFrequency": "Usage-Based",
    "ChargePeriodStart": "2026-11-02T00:00:00Z", "ChargePeriodEnd": "2026-11-03T00:00:00Z",
    "ConsumedQuantity": "1.5E6", "ConsumedUnit": "Tokens", "ContractedCost": "3",
    "ContractedUnitPrice": "2", "EffectiveCost": "3", "InvoiceIssuerName": "Tollgate",
    "ListCost": "4.5", "ListUnitPrice": "3", "PricingCategory": "Standard",
    "PricingCurrency": "EUR", "PricingCurrencyContractedUnitPrice": "2",
    "PricingCurrencyEffectiveCost": "3", "PricingCurrencyListUnitPrice": "3",
    "PricingQuantity": "1.5", "PricingUnit": "1000000 Tokens", "ProviderName": "openai",
    "PublisherName": "openai", "ServiceCategory": "AI and Machine Learning",
    "ServiceName": "openai/large", "ServiceSubcategory": "Generative AI", "SkuId": "large:in",
    "SkuMeter": "in", "SkuPriceDetails": '{"x_Meter":"in","CoreCount":4}', "SkuPriceId": "large@3",
    "Tags": '{"team":"a","beta":true}'}
TAX_ROW = USAGE_ROW | dict.fromkeys((
    "ConsumedQuantity", "ConsumedUnit", "ContractedUnitPrice", "ListUnitPrice",
    "PricingCategory", "PricingCurrencyContractedUnitPrice", "PricingCurrencyListUnitPrice",
    "PricingQuantity", "PricingUnit", "SkuId", "SkuMeter", "SkuPriceDetails", "SkuPriceId",
)) | {"ChargeCategory": "Tax", "ChargeFrequency": "One-Time"}
COMMITTED_ROW = USAGE_ROW | {
    "CommitmentDiscountId": "c-1", "CommitmentDiscountCategory": "Spend",
    "CommitmentDiscountType": "Plan", "CommitmentDiscountStatus": "Used",
    "CommitmentDiscountQuantity": "1", "CommitmentDiscountUnit": "Tokens"}
PURCHASE_ROW = USAGE_ROW | {
    "ChargeCategory": "Purchase", "ChargeFrequency": "Recurring", "ConsumedQuantity": None,
    "ConsumedUnit": None}

BREAKS = {
    "ListUnitPrice-C-004-C": (TAX_ROW, {"ListUnitPrice": "3"}),
    "ListUnitPrice-C-005-C": (USAGE_ROW, {"ListUnitPrice": None}),
    "ContractedUnitPrice-C-005-C": (TAX_ROW, {"ContractedUnitPrice": "3"}),
    "ContractedUnitPrice-C-006-C": (USAGE_ROW, {"ContractedUnitPrice": None}),
    "PricingQuantity-C-004-C": (TAX_ROW, {"PricingQuantity": "3", "PricingUnit": "Tokens"}),
    "PricingQuantity-C-005-C": (PURCHASE_ROW, {"PricingQuantity": None, "PricingUnit": None}),
    "PricingCategory-C-003-C": (TAX_ROW, {"PricingCategory": "Standard"}),
    "PricingCategory-C-004-C": (USAGE_ROW, {"PricingCategory": None}),
    "SkuId-C-004-C": (TAX_ROW, {"SkuId": "a"}),
    "SkuId-C-005-C": (USAGE_ROW, {"SkuId": None, "SkuMeter": None}),
    "SkuPriceId-C-004-C": (TAX_ROW, {"SkuPriceId": "a"}),
    "SkuPriceId-C-005-C": (USAGE_ROW, {"SkuPriceId": None, "SkuPriceDetails": None}),
    "PricingCurrencyListUnitPrice-C-004-C": (TAX_ROW, {"PricingCurrencyListUnitPrice": "3"}),
    "PricingCurrencyListUnitPrice-C-005-C": (USAGE_ROW, {"PricingCurrencyListUnitPrice": None}),
    "PricingCurrencyContractedUnitPrice-C-004-C": (
        TAX_ROW, {"PricingCurrencyContractedUnitPrice": "3"}),
    "PricingCurrencyContractedUnitPrice-C-005-C": (
        USAGE_ROW, {"PricingCurrencyContractedUnitPrice": None}),
    "PricingUnit-C-005-C": (TAX_ROW, {"PricingUnit": "Tokens"}),
    "PricingUnit-C-006-C": (USAGE_ROW, {"PricingUnit": None}),
    "ConsumedUnit-C-005-C": (TAX_ROW, {"ConsumedUnit": "Tokens"}),
    "ConsumedUnit-C-006-C": (USAGE_ROW, {"ConsumedUnit": None}),
    "CommitmentDiscountUnit-C-005-C": (USAGE_ROW, {"CommitmentDiscountUnit": "Tokens"}),
    "CommitmentDiscountUnit-C-006-C": (COMMITTED_ROW, {"CommitmentDiscountUnit": None}),
    "BillingAccountType-C-005-C": (USAGE_ROW, {"BillingAccountType": None}),
    "SubAccountName-C-004-C": (USAGE_ROW, {"SubAccountName": "a"}),
    "SubAccountName-C-005-C": (USAGE_ROW, {"SubAccountId": "a", "SubAccountType": "b"}),
    "SubAccountType-C-004-C": (USAGE_ROW, {"SubAccountType": "b"}),
    "SubAccountType-C-005-C": (USAGE_ROW, {"SubAccountId": "a", "SubAccountName": "b"}),
    "ResourceType-C-004-C": (USAGE_ROW, {"ResourceType": "agent"}),
    "ResourceType-C-005-C": (USAGE_ROW, {"ResourceId": "a"}),
    "ResourceName-C-004-C": (USAGE_ROW, {"ResourceName": "a"}),
    "RegionName-C-004-C": (USAGE_ROW, {"RegionName": "Here"}),
    "RegionName-C-005-C": (USAGE_ROW, {"RegionId": "here-1"}),
    "SkuMeter-C-004-C": (TAX_ROW, {"SkuMeter": "in"}),
    "SkuPriceDetails-C-004-C": (TAX_ROW, {"SkuPriceDetails": "{}"}),
    "CommitmentDiscountCategory-C-003-C": (USAGE_ROW, {"CommitmentDiscountCategory": "Spend"}),
    "CommitmentDiscountCategory-C-004-C": (COMMITTED_ROW, {"CommitmentDiscountCategory": None}),
    "CommitmentDiscountType-C-004-C": (USAGE_ROW, {"CommitmentDiscountType": "Plan"}),
    "CommitmentDiscountType-C-005-C": (COMMITTED_ROW, {"CommitmentDiscountType": None}),
    "CommitmentDiscountName-C-004-C": (USAGE_ROW, {"CommitmentDiscountName": "Plan"}),
    "CommitmentDiscountStatus-C-003-C": (USAGE_ROW, {"CommitmentDiscountStatus": "Used"}),
    "CommitmentDiscountStatus-C-004-C": (COMMITTED_ROW, {"CommitmentDiscountStatus": None}),
    "CapacityReservationStatus-C-003-C": (USAGE_ROW, {"CapacityReservationStatus": "Used"}),
    "CapacityReservationStatus-C-004-C": (USAGE_ROW, {"CapacityReservationId": "r"}),
    "CommitmentDiscountQuantity-C-005-C": (
        COMMITTED_ROW, {"CommitmentDiscountQuantity": None, "CommitmentDiscountUnit": None}),
    "CommitmentDiscountQuantity-C-007-C": (
        USAGE_ROW, {"CommitmentDiscountQuantity": "1", "CommitmentDiscountUnit": "Tokens"}),
    "ConsumedQuantity-C-004-C": (
        PURCHASE_ROW, {"ConsumedQuantity": "1", "ConsumedUnit": "Tokens"}),
    "ConsumedQuantity-C-006-C": (USAGE_ROW, {"ConsumedQuantity": None, "ConsumedUnit": None}),
    "ChargeFrequency-C-004-C": (PURCHASE_ROW, {"ChargeFrequency": "Usage-Based"}),
    "ServiceSubcategory-C-004-M": (USAGE_ROW, {"ServiceSubcategory": "Search"}),
    "ListUnitPrice-C-008-M": (USAGE_ROW, {"ListUnitPrice": "-3", "ListCost": "-4.5"}),
    "ContractedUnitPrice-C-009-C": (
        USAGE_ROW, {"ContractedUnitPrice": "-2", "ContractedCost": "-3"}),
    "PricingCurrencyListUnitPrice-C-008-M": (USAGE_ROW, {"PricingCurrencyListUnitPrice": "-3"}),
    "PricingCurrencyContractedUnitPrice-C-008-C": (
        USAGE_ROW, {"PricingCurrencyContractedUnitPrice": "-3"}),
    "ListUnitPrice-C-010-C": (USAGE_ROW, {"ListCost": "4.500000000000000001"}),
    "ContractedUnitPrice-C-011-C": (USAGE_ROW, {"ContractedCost": "2.9"}),
    "BillingPeriodEnd-C-004-M": (USAGE_ROW, {"BillingPeriodEnd": "2026-11-01T00:00:00Z"}),
    "ChargePeriodEnd-C-004-M": (USAGE_ROW, {"ChargePeriodEnd": "2026-11-01T23:59:59Z"}),
}
"""For each rule a row that keeps all, and the change that breaks this one alone."""


@pytest.mark.parametrize("row", [USAGE_ROW, TAX_ROW, COMMITTED_ROW, PURCHASE_ROW],
                         ids=["usage", "tax", "committed", "purchase"])
def test_row_of_another_provider_with_every_column_is_in_order(row):
    assert check(ALL, [row]).faults == []


def test_every_rule_has_a_row_that_breaks_it():
    assert [rule.id for rule in RULES] == list(BREAKS)


@pytest.mark.parametrize("rule", BREAKS)
def test_row_breaks_one_rule_and_is_told_which(rule):
    row, change = BREAKS[rule]

    (fault,) = check(ALL, [row | change]).faults

    assert fault.startswith("row 1: ")
    assert fault.endswith(f"({rule})")


def test_rule_does_not_concern_a_table_without_its_columns():
    names = [name for name in ALL if name not in ("SkuId", "SkuMeter", "ConsumedQuantity")]

    assert check(names, [{name: USAGE_ROW[name] for name in names}]).faults == []


def test_correction_may_lack_prices_and_need_not_multiply():
    row = USAGE_ROW | {"ChargeClass": "Correction", "ListCost": "7", "SkuId": None,
                       "SkuMeter": None, "PricingCategory": None, "ConsumedQuantity": None,
                       "ConsumedUnit": None}

    assert check(ALL, [row]).faults == []


@pytest.mark.parametrize(("change", "said"), [
    *(({name: text}, "NumericFormat") for name in ("BilledCost", "PricingQuantity") for text in (
        "a lot", "NaN", "Infinity", "+1", "1,000", "1_000", "1/2", "$3", " 3", "1E+3", "٣", "1.")),
    *(({"ChargePeriodStart": text}, "DateTimeFormat") for text in (
        "2026-11-02", "2026-11-02T00:00:00", "2026-11-02T00:00:00+01:00", "2026-11-2T0:0:0Z",
        "2026-11-31T00:00:00Z", "2026-11-02 00:00:00Z", "2026-11-02T00:00:00.000Z")),
    *(({"BillingCurrency": text}, "CurrencyFormat") for text in ("usd", "US$", "Dollar", "QQQ")),
    *(({"Tags": text}, "KeyValueFormat") for text in (
        "[]", "team=a", '{"a":{"b":1}}', '{"a":{}}', '{"a":[1]}', '{"a":1,"a":2}', "1", '"a"')),
    ({"SkuPriceDetails": '{"Meter":"in"}'}, "SkuPriceDetails-C-017-C"),
    *(({"ServiceName": text}, "NullHandling") for text in ("", "  ", "Not Applicable", "N/A")),
    *(({name: None}, "MUST NOT be null") for name in (
        "BilledCost", "BillingAccountId", "ChargeFrequency", "PricingCurrency", "ServiceName")),
    *(({name: "Magic"}, "Allowed values") for name in (
        "ChargeCategory", "ChargeClass", "ChargeFrequency", "PricingCategory", "ServiceCategory",
        "ServiceSubcategory", "CommitmentDiscountStatus")),
])
def test_cell_without_its_form_is_named_with_the_requirement(change, said):
    (fault,) = check(ALL, [USAGE_ROW | change]).faults

    assert fault.startswith(f"row 1: {next(iter(change))} is ")
    assert said in fault


@pytest.mark.parametrize(("change", "said"), [
    ({"SkuId": "other"}, "SkuPriceId-C-008-M"),
    ({"ServiceCategory": "Compute", "ServiceSubcategory": "Containers"}, "ServiceName-C-005-C"),
])
def test_child_with_two_parents_in_a_table_is_named(change, said):
    (fault,) = check(ALL, [USAGE_ROW, USAGE_ROW | change]).faults

    assert fault.startswith("row 2: ")
    assert said in fault


@pytest.mark.parametrize("column", [c.name for c in SPECIFIED if c.needed == "mandatory"])
def test_missing_mandatory_column_is_named(column):
    (fault,) = check([name for name in NAMES if name != column], []).faults

    assert fault.startswith(f"header: the mandatory column {column} is missing")


def test_column_of_nobody_is_named():
    assert "BilledCosts" in check([*NAMES, "BilledCosts", "x_mine"], []).faults[0]


def test_file_of_ours_has_every_column_that_the_specification_asks_of_us():
    asked = {column.name for column in SPECIFIED if SUPPORTED.issuperset(column.when)}

    assert asked <= set(NAMES)
    assert len(SPECIFIED) == 57
    assert list(NAMES) == sorted(NAMES)
    assert {c.name for c in COLUMNS} - set(ALL) == {n for n in NAMES if n.startswith("x_")}
