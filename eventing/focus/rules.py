"""What the cells of one row of FOCUS 1.2 say together, as data: a requirement, its test, a text.

Source: FinOps Open Cost and Usage Specification 1.2, normative requirements of its columns. A
rule's `id` is the requirement's in the specification's requirements model; where a column's rule
and its opposite are two requirements, each is a rule of its own.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from eventing.focus.columns import CORRECTION, PURCHASE, TAX, USAGE
from eventing.focus.forms import decimal, instant
from eventing.focus.values import CATEGORY_OF

Row = Mapping[str, str | None]
Test = Callable[[Row], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """A requirement on one row; it concerns only tables that have its columns."""

    id: str
    columns: tuple[str, ...]
    said: str
    is_broken: Test


def broken(row: Row) -> Iterator[str]:
    """Yield what a row breaks, each with the requirement's name."""
    for rule in RULES:
        if all(name in row for name in rule.columns) and rule.is_broken(row):
            yield f"{rule.said} ({rule.id})"


def _is_tax(row: Row) -> bool:
    return row.get("ChargeCategory") == TAX


def _is_usage(row: Row) -> bool:
    return row.get("ChargeCategory") == USAGE


def _is_priced(row: Row) -> bool:
    return row.get("ChargeCategory") in (USAGE, PURCHASE) and not _is_correction(row)


def _is_correction(row: Row) -> bool:
    return row.get("ChargeClass") == CORRECTION


def _priced(name: str, none: str, some: str) -> Iterator[Rule]:
    """Taxes have none, usage and purchases have one."""
    yield Rule(f"{name}-C-{none}-C", (name,), f"{name} is set: a tax has none",
               lambda row: _is_tax(row) and bool(row[name]))
    yield Rule(f"{name}-C-{some}-C", (name,), f"{name} is empty: usage and purchases have one",
               lambda row: _is_priced(row) and not row[name])


def _follows(name: str, lead: str, none: str, some: str = "", *, where: Test = lambda _: True,
             ) -> Iterator[Rule]:
    """What belongs to something is there with it, and not without it."""
    yield Rule(f"{name}-C-{none}-C", (name, lead), f"{name} is set and {lead} is empty",
               lambda row: bool(row[name]) and not row[lead])
    if some:
        yield Rule(f"{name}-C-{some}-C", (name, lead), f"{name} is empty and {lead} is set",
                   lambda row: bool(row[lead]) and not row[name] and where(row))


def _price(name: str, requirement: str) -> Rule:
    return Rule(f"{name}-C-{requirement}", (name,), f"{name} is below 0",
                lambda row: (decimal(row[name]) or 0) < 0)


def _product(price: str, cost: str, requirement: str) -> Rule:
    """A price and a quantity give the cost, exactly; corrections may differ."""
    def differs(row: Row) -> bool:
        unit, quantity = decimal(row[price]), decimal(row["PricingQuantity"])
        return (unit is not None and quantity is not None and not _is_correction(row)
                and unit * quantity != decimal(row[cost]))

    return Rule(f"{price}-C-{requirement}-C", (price, "PricingQuantity", cost),
                f"{price} × PricingQuantity is not {cost}", differs)


def _ends(period: str) -> Rule:
    def is_upside_down(row: Row) -> bool:
        start, end = instant(row[f"{period}Start"]), instant(row[f"{period}End"])
        return start is not None and end is not None and end <= start

    return Rule(f"{period}End-C-004-M", (f"{period}Start", f"{period}End"),
                f"{period}End is not after {period}Start", is_upside_down)


def _discount(row: Row) -> bool:
    return row.get("ChargeCategory") in (USAGE, PURCHASE) and bool(row["CommitmentDiscountId"])


RULES: tuple[Rule, ...] = (
    *_priced("ListUnitPrice", "004", "005"),
    *_priced("ContractedUnitPrice", "005", "006"),
    *_priced("PricingQuantity", "004", "005"),
    *_priced("PricingCategory", "003", "004"),
    *_priced("SkuId", "004", "005"),
    *_priced("SkuPriceId", "004", "005"),
    *_priced("PricingCurrencyListUnitPrice", "004", "005"),
    *_priced("PricingCurrencyContractedUnitPrice", "004", "005"),
    *_follows("PricingUnit", "PricingQuantity", "005", "006"),
    *_follows("ConsumedUnit", "ConsumedQuantity", "005", "006"),
    *_follows("CommitmentDiscountUnit", "CommitmentDiscountQuantity", "005", "006"),
    Rule("BillingAccountType-C-005-C", ("BillingAccountType",),
         "BillingAccountType is empty: every account has a type",
         lambda row: not row["BillingAccountType"]),
    *_follows("SubAccountName", "SubAccountId", "004", "005"),
    *_follows("SubAccountType", "SubAccountId", "004", "005"),
    *_follows("ResourceType", "ResourceId", "004", "005"),
    *_follows("ResourceName", "ResourceId", "004"),
    *_follows("RegionName", "RegionId", "004", "005"),
    *_follows("SkuMeter", "SkuId", "004"),
    *_follows("SkuPriceDetails", "SkuPriceId", "004"),
    *_follows("CommitmentDiscountCategory", "CommitmentDiscountId", "003", "004"),
    *_follows("CommitmentDiscountType", "CommitmentDiscountId", "004", "005"),
    *_follows("CommitmentDiscountName", "CommitmentDiscountId", "004"),
    *_follows("CommitmentDiscountStatus", "CommitmentDiscountId", "003", "004", where=_is_usage),
    *_follows("CapacityReservationStatus", "CapacityReservationId", "003", "004",
              where=_is_usage),
    Rule("CommitmentDiscountQuantity-C-005-C",
         ("CommitmentDiscountQuantity", "CommitmentDiscountId"),
         "CommitmentDiscountQuantity is empty: a charge under a commitment has one",
         lambda row: _discount(row) and not _is_correction(row)
         and not row["CommitmentDiscountQuantity"]),
    Rule("CommitmentDiscountQuantity-C-007-C",
         ("CommitmentDiscountQuantity", "CommitmentDiscountId"),
         "CommitmentDiscountQuantity is set: only charges under a commitment have one",
         lambda row: bool(row["CommitmentDiscountQuantity"]) and not _discount(row)),
    Rule("ConsumedQuantity-C-004-C", ("ConsumedQuantity",),
         "ConsumedQuantity is set: only usage has one, and no unused commitment",
         lambda row: bool(row["ConsumedQuantity"])
         and (not _is_usage(row) or row.get("CommitmentDiscountStatus") == "Unused")),
    Rule("ConsumedQuantity-C-006-C", ("ConsumedQuantity",),
         "ConsumedQuantity is empty: usage has one",
         lambda row: _is_usage(row) and not row["ConsumedQuantity"] and not _is_correction(row)
         and row.get("CommitmentDiscountStatus") != "Unused"),
    Rule("ChargeFrequency-C-004-C", ("ChargeFrequency",),
         "ChargeFrequency is Usage-Based: a purchase is not",
         lambda row: row.get("ChargeCategory") == PURCHASE
         and row["ChargeFrequency"] == "Usage-Based"),
    Rule("ServiceSubcategory-C-004-M", ("ServiceSubcategory", "ServiceCategory"),
         "ServiceSubcategory belongs to another ServiceCategory",
         lambda row: CATEGORY_OF[row["ServiceSubcategory"] or ""] != row["ServiceCategory"]),
    _price("ListUnitPrice", "008-M"),
    _price("ContractedUnitPrice", "009-C"),
    _price("PricingCurrencyListUnitPrice", "008-M"),
    _price("PricingCurrencyContractedUnitPrice", "008-C"),
    _product("ListUnitPrice", "ListCost", "010"),
    _product("ContractedUnitPrice", "ContractedCost", "011"),
    _ends("BillingPeriod"),
    _ends("ChargePeriod"),
)
