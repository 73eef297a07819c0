"""Turns events into FOCUS rows, without I/O: a row per day, dimensions, meter and unit price.

Quantities of equal unit price are added up, so unit price × quantity = cost holds exactly; what an
event's total was rounded up by, and adjustments, are rows of category Adjustment, on the day they
were made. Providers price tokens by the million, so that is the pricing unit; the consumed quantity
is in tokens. The list price is the agreed one: events know no other.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal, localcontext
from typing import Any, NamedTuple

from eventing.event import Event
from eventing.focus.check import DIGITS
from eventing.focus.columns import ADJUSTMENT, CORRECTION, NAMES, USAGE
from functions.costs.facts import Fact, read
from shared.usage import REQUEST, UNPRICED

ISSUER = "Tollgate"
NANO = Decimal(10) ** 9
MTOK_DIGITS = 6
MONTH_CHARS = len("2026-11")
CATEGORY, OF_MODELS, OF_TOOLS = (
    "AI and Machine Learning", "Generative AI", "Other (AI and Machine Learning)")

CORRECTS = "correction"
WITHOUT_QUANTITY = {
    "rounding": "Rounding up to a whole nano-dollar", "adjustment": "Adjusted cost",
    CORRECTS: "Corrected cost of an earlier month"}
"""What has no quantity, by meter, and how a row describes it."""


class Charge(NamedTuple):
    """What must be equal for events to share a row."""

    day: str
    agent: str
    version: str
    kind: str
    name: str
    provider: str
    env: str
    outcome: str
    tags: str
    sku: str
    meter: str
    unit_price: str
    """Empty for what has no quantity: rounding and corrections."""


class Charges:
    """The charges of one tenant's events, added up."""

    def __init__(self, tenant: str, month: str) -> None:
        self._tenant, self._month = tenant, month
        self._quantities: dict[Charge, int] = defaultdict(int)
        self._costs: dict[Charge, Decimal] = defaultdict(Decimal)

    def add(self, event: Event) -> None:
        """Add one event; those that cost nothing by themselves add nothing."""
        fact = read(event)
        if fact.kind not in ("attributed", "adjusted"):
            return
        with localcontext(prec=DIGITS):
            self._add(fact, event.json())

    def _add(self, fact: Fact, data: Mapping[str, Any]) -> None:
        rest = Decimal(fact.sums.cost_nano) / NANO
        for line in (data.get("cost") or {}).get("lines", ()):
            charge = _charge(fact, line["sku"], line["meter"], line["unit_price"])
            cost = Decimal(line["unit_price"]) * line["qty"]
            self._quantities[charge] += line["qty"]
            self._costs[charge] += cost
            rest -= cost
        if rest:
            meter = _without_quantity(fact, data)
            self._costs[_charge(fact, meter, meter, "")] += rest

    def rows(self) -> Iterator[dict[str, str | None]]:
        """Yield the rows in a fixed order; their costs add up to the events' exactly."""
        with localcontext(prec=DIGITS):
            for charge in sorted(self._costs):
                if charge.unit_price or self._costs[charge]:
                    yield self._row(charge)

    def _row(self, charge: Charge) -> dict[str, str | None]:
        cost = format(self._costs[charge], "f")
        day = date.fromisoformat(charge.day)
        return dict.fromkeys(NAMES) | {
            "BilledCost": cost, "ContractedCost": cost, "EffectiveCost": cost, "ListCost": cost,
            "BillingAccountId": self._tenant, "BillingAccountName": self._tenant,
            "BillingCurrency": "USD", "BillingPeriodStart": _at(first_of(self._month)),
            "BillingPeriodEnd": _at(after(self._month)), "ChargePeriodStart": _at(day),
            "ChargePeriodEnd": _at(day + timedelta(1)), "InvoiceIssuerName": ISSUER,
            "InvoiceId": f"{self._tenant}-{self._month}",
            "ProviderName": charge.provider or ISSUER, "PublisherName": charge.provider or ISSUER,
            "ServiceCategory": CATEGORY, "ServiceName": charge.name,
            "ServiceSubcategory": OF_TOOLS if charge.kind == "tool" else OF_MODELS,
            "SubAccountId": charge.agent or None, "SubAccountName": charge.agent or None,
            "ChargeFrequency": "Usage-Based", "Tags": charge.tags,
            "x_Agent": charge.agent or None, "x_AgentVersion": charge.version or None,
            "x_Environment": charge.env or None, "x_Kind": charge.kind or None,
            "x_Outcome": charge.outcome or None, **self._resource(charge),
            **(self._usage(charge) if charge.unit_price else _adjustment(charge)),
        }

    def _resource(self, charge: Charge) -> dict[str, str | None]:
        """Return the agent: what uses models and tools, and what people name."""
        if not charge.agent:
            return {}
        return {"ResourceId": f"{self._tenant}/{charge.agent}", "ResourceName": charge.agent,
                "ResourceType": "agent"}

    def _usage(self, charge: Charge) -> dict[str, str | None]:
        consumed = self._quantities[charge]
        is_counted = charge.meter.startswith(("calls", REQUEST, UNPRICED))
        unit, digits = ("Requests", 0) if is_counted else ("Tokens", MTOK_DIGITS)
        unit_price = _plain(Decimal(charge.unit_price).scaleb(digits))
        return {
            "ChargeCategory": USAGE, "ChargeClass": None, "PricingCategory": "Standard",
            "ChargeDescription": f"{charge.meter} of {charge.name}",
            "PricingQuantity": _plain(Decimal(consumed).scaleb(-digits)),
            "PricingUnit": f"{10**digits} {unit}" if digits else unit,
            "ConsumedQuantity": str(consumed), "ConsumedUnit": unit,
            "ListUnitPrice": unit_price, "ContractedUnitPrice": unit_price, "SkuId": charge.sku,
            "SkuMeter": charge.meter, "SkuPriceId": f"{charge.sku}@{unit_price}",
            "SkuPriceDetails": json.dumps({
                "x_Meter": charge.meter, "x_Of": charge.sku.removesuffix(f":{charge.meter}")}),
        }


def _adjustment(charge: Charge) -> dict[str, str | None]:
    corrects = charge.meter == CORRECTS
    return {"ChargeCategory": ADJUSTMENT, "ChargeClass": CORRECTION if corrects else None,
            "ChargeDescription": f"{WITHOUT_QUANTITY[charge.meter]} of {charge.name}"}


def _without_quantity(fact: Fact, data: Mapping[str, Any]) -> str:
    """Return what an amount without a price is.

    A correction is about a period that was invoiced; within the month it is an adjustment
    (ChargeClass-C-003-C and C-004-C).
    """
    if fact.kind != "adjusted":
        return "rounding"
    return CORRECTS if _charged_month(fact, data) < fact.day[:MONTH_CHARS] else "adjustment"


def _charged_month(fact: Fact, data: Mapping[str, Any]) -> str:
    """Return the month that an adjusted call was held in, by its tenant's account of the month."""
    accounts = (data.get("ledger") or {}).get("accounts") or ()
    months = [name.rpartition("|")[2] for name in accounts
              if name.startswith(f"tenant|{fact.tenant}|m|")]
    return months[0] if months else fact.day[:MONTH_CHARS]


def _charge(fact: Fact, sku: str, meter: str, unit_price: str) -> Charge:
    agent, version, _, kind, _, _, provider, _, env, outcome, _, _ = (
        value or "" for value in fact.coordinates or ())
    tags = json.dumps(dict(sorted(fact.tags.items())), separators=(",", ":"))
    return Charge(fact.day, agent, version, kind, fact.name, provider, env, outcome, tags,
                  sku, meter, unit_price)


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def first_of(month: str) -> date:
    """Return the first day of a month such as `2026-11`."""
    return date.fromisoformat(f"{month}-01")


def after(month: str) -> date:
    """Return the first day after a month."""
    return (first_of(month) + timedelta(days=32)).replace(day=1)


def _at(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"
