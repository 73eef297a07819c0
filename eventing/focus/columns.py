"""The columns of FOCUS 1.2 that a file of ours has, with their rules.

Source: FinOps Open Cost and Usage Specification 1.2, chapter "Columns": feature level, data type,
value format, allowed values, whether nulls are allowed.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "decimal", "instant", "json"]
USAGE, ADJUSTMENT, CORRECTION = "Usage", "Adjustment", "Correction"
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class Column:
    """One column and what may stand in it."""

    name: str
    kind: Kind = "text"
    mandatory: bool = True
    """Whether the specification's feature level is Mandatory: the column must be there."""
    null: bool = False
    allowed: tuple[str, ...] = ()


def _optional(name: str, kind: Kind = "text", allowed: tuple[str, ...] = ()) -> Column:
    return Column(name, kind, mandatory=False, null=True, allowed=allowed)


COLUMNS = (
    Column("BilledCost", "decimal"),
    Column("BillingAccountId"),
    Column("BillingAccountName", null=True),
    Column("BillingCurrency", allowed=("USD",)),
    Column("BillingPeriodEnd", "instant"),
    Column("BillingPeriodStart", "instant"),
    Column("ChargeCategory", allowed=(USAGE, "Purchase", "Tax", "Credit", ADJUSTMENT)),
    Column("ChargeClass", null=True, allowed=(CORRECTION,)),
    Column("ChargeDescription", null=True),
    _optional("ChargeFrequency", allowed=("One-Time", "Recurring", "Usage-Based")),
    Column("ChargePeriodEnd", "instant"),
    Column("ChargePeriodStart", "instant"),
    _optional("ConsumedQuantity", "decimal"),
    _optional("ConsumedUnit"),
    Column("ContractedCost", "decimal"),
    _optional("ContractedUnitPrice", "decimal"),
    Column("EffectiveCost", "decimal"),
    _optional("InvoiceId"),
    Column("InvoiceIssuerName"),
    Column("ListCost", "decimal"),
    _optional("ListUnitPrice", "decimal"),
    _optional("PricingCategory", allowed=("Standard", "Dynamic", "Committed", "Other")),
    Column("PricingQuantity", "decimal", null=True),
    Column("PricingUnit", null=True),
    Column("ProviderName"),
    Column("PublisherName"),
    _optional("ResourceId"),
    _optional("ResourceName"),
    _optional("ResourceType"),
    Column("ServiceCategory", allowed=(
        "AI and Machine Learning", "Analytics", "Business Applications", "Compute", "Databases",
        "Developer Tools", "Multicloud", "Identity", "Integration", "Internet of Things",
        "Management and Governance", "Media", "Migration", "Mobile", "Networking", "Security",
        "Storage", "Web", "Other")),
    Column("ServiceName"),
    _optional("ServiceSubcategory"),
    _optional("SkuId"),
    _optional("SkuMeter"),
    _optional("SkuPriceId"),
    _optional("SubAccountId"),
    _optional("SubAccountName"),
    _optional("Tags", "json"),
    _optional("x_Agent"),
    _optional("x_AgentVersion"),
    _optional("x_Environment"),
    _optional("x_Outcome"),
)
"""In the order of our files: the specification's columns by name, then our own (`x_`)."""

NAMES = tuple(column.name for column in COLUMNS)
