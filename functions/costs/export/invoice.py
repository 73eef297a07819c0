"""Writes a tenant's invoice of a month from its FOCUS rows, without I/O."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal, localcontext
from typing import Any

from eventing.focus.check import DIGITS
from shared.amounts import NANO

HEADS = ("agent", "service", "meter", "unit_price", "unit", "quantity", "cost_usd")
Line = tuple[str, str, str, str, str]


class Invoice:
    """What a tenant pays for, by agent, service, meter and unit price, out of a month's rows."""

    def __init__(self, tenant: str, month: str) -> None:
        self._tenant, self._month = tenant, month
        self._quantities: dict[Line, Decimal] = defaultdict(Decimal)
        self._costs: dict[Line, Decimal] = defaultdict(Decimal)

    def add(self, rows: Iterable[Mapping[str, str | None]]) -> None:
        """Add some rows."""
        with localcontext(prec=DIGITS):
            for row in rows:
                line = (row["x_Agent"] or "", row["ServiceName"] or "",
                        row.get("SkuMeter") or row["ChargeDescription"] or "",
                        row.get("ContractedUnitPrice") or "", row.get("PricingUnit") or "")
                self._quantities[line] += Decimal(row.get("PricingQuantity") or 0)
                self._costs[line] += Decimal(row["BilledCost"] or 0)

    def told(self) -> dict[str, Any]:
        """Return the lines, which add up to the total exactly.

        A quantity is in units of its price, so that both multiply to the line's cost.
        """
        with localcontext(prec=DIGITS):
            total = sum(self._costs.values(), Decimal(0))
            lines = [{**dict(zip(HEADS, line, strict=False)),
                      "quantity": _text(self._quantities[line]), "cost_usd": format(cost, "f")}
                     for line, cost in sorted(self._costs.items())]
            return {"invoice": f"{self._tenant}-{self._month}", "tenant": self._tenant,
                    "month": self._month, "currency": "USD", "lines": lines,
                    "total_usd": format(total, "f"), "total_nano": int(total * NANO)}


def as_csv(found: Mapping[str, Any]) -> str:
    """Return the invoice's lines as CSV, the total last."""
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(found["lines"])
    writer.writerow({"agent": "total", "cost_usd": found["total_usd"]})
    return text.getvalue()


def as_text(found: Mapping[str, Any]) -> str:
    """Return the invoice for people."""
    lines = [f"Invoice {found['invoice']}", f"Tenant {found['tenant']}, {found['month']}, UTC", ""]
    for line in found["lines"]:
        priced = (f"{line['quantity']} × {line['unit_price']} for {line['unit']}"
                  if line["quantity"] else "")
        lines.append(f"{line['agent']:<24} {line['service']:<32} {line['meter']:<24} "
                     f"{priced:>44} {line['cost_usd']:>24}")
    return "\n".join([*lines, "", f"{'Total USD':<128}{found['total_usd']:>25}", ""])


def _text(quantity: Decimal) -> str | None:
    return format(quantity, "f") if quantity else None
