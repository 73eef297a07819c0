"""Turns events into FOCUS rows, without I/O: a row per day, dimensions, meter and unit price.

Quantities of equal unit price are added up, so unit price × quantity = cost holds exactly; what an
event's total was rounded up by, and adjustments, are rows of category Adjustment, on the day they
were made. Providers price tokens by the million, so that is the pricing unit; the consumed quantity
is in tokens. The list price is the agreed one: events know no other.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal, localcontext
from functools import lru_cache
from typing import NamedTuple

from eventing.event import Event
from eventing.focus.check import DIGITS
from eventing.focus.columns import ADJUSTMENT, CORRECTION, NAMES, USAGE
from functions.costs.events.facts import KINDS, at_ms, coordinates_of
from functions.costs.events.payload import Data
from functions.costs.questions.ranges import day_of, month_ends
from shared.amounts import NANO
from shared.usage import REQUEST, UNPRICED

ISSUER = "Tollgate"
MTOK_DIGITS = 6
MONTH_CHARS = len("2026-11")
CATEGORY, OF_MODELS, OF_TOOLS = (
    "AI and Machine Learning", "Generative AI", "Other (AI and Machine Learning)")

CORRECTING = "adjusted"
CHARGED = ("attributed", CORRECTING)
"""Kinds of events that cost something by themselves."""

CORRECTS = "correction"
WITHOUT_QUANTITY = {
    "rounding": "Rounding up to a whole nano-dollar", "adjustment": "Adjusted cost",
    CORRECTS: "Corrected cost of an earlier month"}
"""What has no quantity, by meter, and how a row describes it."""

Row = dict[str, str | None]
"""Column → cell; `None` is null."""


class Source(NamedTuple):
    """Where a charge comes from: what the lines of one event have in common."""

    day: str
    agent: str
    version: str
    kind: str
    name: str
    provider: str
    env: str
    outcome: str
    tags: str


class Charge(NamedTuple):
    """What must be equal for events to share a row."""

    of: Source
    sku: str
    meter: str
    unit_price: str
    """Empty for what has no quantity: rounding and adjustments."""


class Charges:
    """The charges of one tenant's events, added up: numbers are whole until rows are made."""

    def __init__(self, tenant: str, month: str) -> None:
        self._tenant, self._month = tenant, month
        self._quantities: dict[Charge, int] = defaultdict(int)
        self._totals: dict[Charge, int] = defaultdict(int)
        """Nano-USD of whole events, by the charge of what their lines leave over."""
        self.nano = 0
        """What all events cost in nano-USD."""

    def __len__(self) -> int:
        """Return how many different charges there are: as many rows, but for those of nothing."""
        return len(self._quantities) + len(self._totals)

    def add(self, event: Event) -> None:
        """Add one event; one that costs nothing by itself adds nothing."""
        kind = KINDS[event.type]
        if kind not in CHARGED:
            return
        data = Data.model_validate_json(event.data or b"")
        source = _source(kind, day_of(at_ms(event)), data)
        for line in data.cost.lines if data.cost else ():
            charge = Charge(source, line.sku, line.meter, line.unit_price)
            self._quantities[charge] += line.qty
        nano = data.delta_nano if kind == CORRECTING else data.cost.total_nano if data.cost else 0
        meter = _without_quantity(kind, source.day, data)
        self._totals[Charge(source, meter, meter, "")] += nano
        self.nano += nano

    def rows(self) -> Iterator[Row]:
        """Yield the rows in a fixed order; their costs add up to the events' exactly."""
        costs = self._costs()
        for charge in sorted(costs):
            if charge.unit_price or costs[charge]:
                yield self._row(charge, format(costs[charge], "f"))

    def _costs(self) -> dict[Charge, Decimal]:
        with localcontext(prec=DIGITS):
            costs = {charge: Decimal(charge.unit_price) * quantity
                     for charge, quantity in self._quantities.items()}
            priced: dict[Source, Decimal] = defaultdict(Decimal)
            for charge, cost in costs.items():
                priced[charge.of] += cost
            rests = {charge: Decimal(total) / NANO - priced[charge.of]
                     for charge, total in self._totals.items()}
            return costs | rests

    def _row(self, charge: Charge, cost: str) -> Row:
        day, (first, after) = date.fromisoformat(charge.of.day), month_ends(self._month)
        return dict.fromkeys(NAMES) | {
            "BilledCost": cost, "ContractedCost": cost, "EffectiveCost": cost, "ListCost": cost,
            "BillingAccountId": self._tenant, "BillingAccountName": self._tenant,
            "BillingCurrency": "USD", "BillingPeriodStart": _at(first),
            "BillingPeriodEnd": _at(after), "ChargePeriodStart": _at(day),
            "ChargePeriodEnd": _at(day + timedelta(1)), "InvoiceIssuerName": ISSUER,
            "InvoiceId": f"{self._tenant}-{self._month}",
            "ProviderName": charge.of.provider or ISSUER,
            "PublisherName": charge.of.provider or ISSUER,
            "ServiceCategory": CATEGORY, "ServiceName": charge.of.name,
            "ServiceSubcategory": OF_TOOLS if charge.of.kind == "tool" else OF_MODELS,
            "SubAccountId": charge.of.agent or None, "SubAccountName": charge.of.agent or None,
            "ChargeFrequency": "Usage-Based", "Tags": charge.of.tags,
            "x_Agent": charge.of.agent or None, "x_AgentVersion": charge.of.version or None,
            "x_Environment": charge.of.env or None, "x_Kind": charge.of.kind or None,
            "x_Outcome": charge.of.outcome or None, **self._resource(charge),
            **(self._usage(charge) if charge.unit_price else _adjustment(charge)),
        }

    def _resource(self, charge: Charge) -> dict[str, str | None]:
        """Return the agent: what uses models and tools, and what people name."""
        if not charge.of.agent:
            return {}
        return {"ResourceId": f"{self._tenant}/{charge.of.agent}", "ResourceName": charge.of.agent,
                "ResourceType": "agent"}

    def _usage(self, charge: Charge) -> dict[str, str | None]:
        consumed = self._quantities[charge]
        is_counted = charge.meter.startswith(("calls", REQUEST, UNPRICED))
        unit, digits = ("Requests", 0) if is_counted else ("Tokens", MTOK_DIGITS)
        with localcontext(prec=DIGITS):
            unit_price = _plain(Decimal(charge.unit_price).scaleb(digits))
            quantity = _plain(Decimal(consumed).scaleb(-digits))
        return {
            "ChargeCategory": USAGE, "ChargeClass": None, "PricingCategory": "Standard",
            "ChargeDescription": f"{charge.meter} of {charge.of.name}",
            "PricingQuantity": quantity,
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
            "ChargeDescription": f"{WITHOUT_QUANTITY[charge.meter]} of {charge.of.name}"}


def _without_quantity(kind: str, day: str, data: Data) -> str:
    """Return what an amount without a price is.

    A correction is about a period that was invoiced; within the month it is an adjustment
    (ChargeClass-C-003-C and C-004-C).
    """
    if kind != CORRECTING:
        return "rounding"
    return CORRECTS if _charged_month(day, data) < day[:MONTH_CHARS] else "adjustment"


def _charged_month(day: str, data: Data) -> str:
    """Return the month that an adjusted call was held in, by its tenant's account of the month."""
    months = [name.rpartition("|")[2] for name in data.ledger.accounts
              if name.startswith("tenant|") and "|m|" in name]
    return months[0] if months else day[:MONTH_CHARS]


def _source(kind: str, day: str, data: Data) -> Source:
    agent, version, _, what, tool, model, provider, _, env, outcome, _, _ = (
        value or "" for value in coordinates_of(kind, data) or ())
    return Source(day, agent, version, what, tool or model, provider, env, outcome,
                  _tags_text(tuple(sorted(data.tags.items()))))


@lru_cache(maxsize=1024)
def _tags_text(tags: tuple[tuple[str, str], ...]) -> str:
    return json.dumps(dict(tags))


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _at(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"
