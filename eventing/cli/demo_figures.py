"""Computes the demo's figures from its files, without any of the code that the agent uses."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?")
TARGET = re.compile(r"^\| (\w+) \| (\d+(?:\.\d+)?) \|$", re.MULTILINE)
CENT = Decimal("0.01")


def figures_in(text: str) -> frozenset[Decimal]:
    """Return the size of every number in a text; commas between thousands are allowed."""
    return frozenset(Decimal(number.replace(",", "")) for number in NUMBER.findall(text))


def expected(sales: str, report: str) -> Mapping[str, Decimal]:
    """Return what a correct answer states: sold, target, gap and percent of each region and all.

    Amounts of `sales` (CSV) are added up by region; targets stand in the section "Targets" of
    `report` (Markdown). Gaps have no sign here: "5 below" and "-5" say the same.
    """
    sold = _sold(csv.DictReader(sales.splitlines()))
    targets = _targets(report)
    pairs = {region: (sold[region], targets[region]) for region in sold}
    pairs["total"] = (sum(sold.values(), Fraction()), sum((targets[r] for r in sold), Fraction()))
    return dict(figure for name, pair in pairs.items() for figure in _figures(name, *pair))


def _sold(rows: Iterable[Mapping[str, str]]) -> dict[str, Fraction]:
    sold: dict[str, Fraction] = {}
    for row in rows:
        sold[row["region"]] = sold.get(row["region"], Fraction()) + Fraction(row["amount"])
    return sold


def _targets(report: str) -> dict[str, Fraction]:
    section = report.partition("\n## Targets\n")[2].partition("\n## ")[0]
    return {region: Fraction(amount) for region, amount in TARGET.findall(section)}


def _figures(name: str, sold: Fraction, target: Fraction) -> Iterator[tuple[str, Decimal]]:
    values = {"sold": sold, "target": target, "gap": abs(sold - target),
              "percent": sold / target * 100}
    for figure, value in values.items():
        yield f"{figure} {name}", _rounded(value)


def _rounded(value: Fraction) -> Decimal:
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    return exact.quantize(CENT, ROUND_HALF_UP)
