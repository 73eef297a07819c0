"""The columns of FOCUS 1.2's cost and usage data set, and those that a file of ours has.

Source: FinOps Open Cost and Usage Specification 1.2, chapter "Columns": feature level and its
condition, data type, value format, allowed values, nullability.
"""

from dataclasses import dataclass
from typing import Literal

from eventing.focus.values import CATEGORIES, CATEGORY_OF

Kind = Literal["text", "decimal", "instant", "tags", "details", "currency"]
Feature = Literal[
    "account types", "capacity reservations", "commitment discounts", "currencies",
    "negotiated prices", "price lists", "pricing categories", "regions", "resource types",
    "resources", "sub account types", "sub accounts", "tags", "unit prices", "usage",
    "virtual currencies", "zones"]
"""What a provider may support; columns are needed where it does."""

USAGE, PURCHASE, TAX, ADJUSTMENT, CORRECTION = (
    "Usage", "Purchase", "Tax", "Adjustment", "Correction")

SUPPORTED: frozenset[Feature] = frozenset({
    "negotiated prices", "price lists", "resource types", "resources", "sub accounts", "tags",
    "unit prices", "usage"})
"""What Tollgate has: prices of models and tools, a tenant's own ones, usage that is measured,
agents as resources. It has one currency, one kind of account, no regions and no commitments."""

VOLUNTARY = frozenset({"PricingCategory"})
"""Written although the specification does not ask it of us: readers group by it."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column and what may stand in it."""

    name: str
    kind: Kind = "text"
    needed: Literal["mandatory", "conditional", "recommended"] = "mandatory"
    """The specification's feature level."""
    when: tuple[Feature, ...] = ()
    """Needed only where the provider supports all of these."""
    null: bool = False
    allowed: tuple[str, ...] = ()

    @property
    def written(self) -> bool:
        """Tell whether a file of ours has it."""
        return SUPPORTED.issuperset(self.when) or self.name in VOLUNTARY


def _if(name: str, *when: Feature, kind: Kind = "text", null: bool = True,
        allowed: tuple[str, ...] = ()) -> Column:
    return Column(name, kind, "conditional", when, null, allowed)


SPECIFIED = (
    Column("AvailabilityZone", needed="recommended", when=("zones",), null=True),
    Column("BilledCost", "decimal"),
    Column("BillingAccountId"),
    Column("BillingAccountName", null=True),
    _if("BillingAccountType", "account types"),
    Column("BillingCurrency", "currency"),
    Column("BillingPeriodEnd", "instant"),
    Column("BillingPeriodStart", "instant"),
    _if("CapacityReservationId", "capacity reservations"),
    _if("CapacityReservationStatus", "capacity reservations", allowed=("Used", "Unused")),
    Column("ChargeCategory", allowed=(USAGE, PURCHASE, TAX, "Credit", ADJUSTMENT)),
    Column("ChargeClass", null=True, allowed=(CORRECTION,)),
    Column("ChargeDescription", null=True),
    Column("ChargeFrequency", needed="recommended",
           allowed=("One-Time", "Recurring", "Usage-Based")),
    Column("ChargePeriodEnd", "instant"),
    Column("ChargePeriodStart", "instant"),
    _if("CommitmentDiscountCategory", "commitment discounts", allowed=("Spend", "Usage")),
    _if("CommitmentDiscountId", "commitment discounts"),
    _if("CommitmentDiscountName", "commitment discounts"),
    _if("CommitmentDiscountQuantity", "commitment discounts", kind="decimal"),
    _if("CommitmentDiscountStatus", "commitment discounts", allowed=("Used", "Unused")),
    _if("CommitmentDiscountType", "commitment discounts"),
    _if("CommitmentDiscountUnit", "commitment discounts"),
    _if("ConsumedQuantity", "usage", kind="decimal"),
    _if("ConsumedUnit", "usage"),
    Column("ContractedCost", "decimal"),
    _if("ContractedUnitPrice", "negotiated prices", kind="decimal"),
    Column("EffectiveCost", "decimal"),
    Column("InvoiceId", needed="recommended", null=True),
    Column("InvoiceIssuerName"),
    Column("ListCost", "decimal"),
    _if("ListUnitPrice", "price lists", kind="decimal"),
    _if("PricingCategory", "pricing categories",
        allowed=("Standard", "Dynamic", "Committed", "Other")),
    _if("PricingCurrency", "currencies", null=False),
    _if("PricingCurrencyContractedUnitPrice", "virtual currencies", "price lists",
        kind="decimal"),
    _if("PricingCurrencyEffectiveCost", "virtual currencies", "price lists", kind="decimal",
        null=False),
    _if("PricingCurrencyListUnitPrice", "virtual currencies", "price lists", kind="decimal"),
    Column("PricingQuantity", "decimal", null=True),
    Column("PricingUnit", null=True),
    Column("ProviderName"),
    Column("PublisherName"),
    _if("RegionId", "regions"),
    _if("RegionName", "regions"),
    _if("ResourceId", "resources"),
    _if("ResourceName", "resources"),
    _if("ResourceType", "resources", "resource types"),
    Column("ServiceCategory", allowed=CATEGORIES),
    Column("ServiceName"),
    Column("ServiceSubcategory", needed="recommended", allowed=tuple(CATEGORY_OF)),
    _if("SkuId", "unit prices", "price lists"),
    _if("SkuMeter", "unit prices", "price lists"),
    _if("SkuPriceDetails", "unit prices", "price lists", kind="details"),
    _if("SkuPriceId", "unit prices", "price lists"),
    _if("SubAccountId", "sub accounts"),
    _if("SubAccountName", "sub accounts"),
    _if("SubAccountType", "sub account types"),
    _if("Tags", "tags", kind="tags"),
)
"""All 57, by name."""

OWN = tuple(_if(name) for name in (
    "x_Agent", "x_AgentVersion", "x_Environment", "x_Kind", "x_Outcome"))
"""Ours; `x_Kind` is llm, tool or embedding."""

COLUMNS = (*(column for column in SPECIFIED if column.written), *OWN)
"""In the order of our files: the specification's columns by name, then our own."""

NAMES = tuple(column.name for column in COLUMNS)
KNOWN = {column.name: column for column in (*SPECIFIED, *OWN)}
