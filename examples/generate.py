"""Makes the example documents: `python examples/generate.py [--seed N] [--folder DIR]`.

The same seed makes the same files, byte for byte.
"""

import argparse
import csv
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

ROWS = 1000
REGIONS = ("Central", "East", "North", "South", "West")
PRODUCTS = {"Beacon": "129.90", "Compass": "48.50", "Lantern": "23.75", "Sextant": "349.00"}
HEADER = ("date", "region", "product", "units", "unit_price", "amount")
FIRST_DAY = date(2026, 1, 1)


@dataclass(frozen=True, slots=True)
class Sale:
    """One line of the sales file."""

    day: date
    region: str
    product: str
    units: int
    unit_price: Decimal

    @property
    def amount(self) -> Decimal:
        """Return the line's total, exactly."""
        return self.units * self.unit_price

    def cells(self) -> Sequence[object]:
        """Return the line as it is written."""
        return (self.day, self.region, self.product, self.units, self.unit_price, self.amount)


def sales(source: random.Random) -> list[Sale]:
    """Return the year's sales in order of their days."""
    return sorted(_sales(source), key=lambda sale: sale.day)


def targets(source: random.Random, sold: Sequence[Sale]) -> dict[str, int]:
    """Return a yearly target per region, near what it sold."""
    totals = {region: sum(s.amount for s in sold if s.region == region) for region in REGIONS}
    return {region: int(total * source.randrange(85, 120) / 100 / 500) * 500
            for region, total in totals.items()}


def write(folder: Path, seed: int) -> None:
    """Write `sales.csv` and `report.md` into the folder."""
    source = random.Random(seed)  # noqa: S311 - example data
    sold = sales(source)
    with (folder / "sales.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([HEADER, *(sale.cells() for sale in sold)])
    (folder / "report.md").write_text(report(sold, targets(source, sold)))


def report(sold: Sequence[Sale], goals: dict[str, int]) -> str:
    """Return the plan of the year as Markdown."""
    rows = "\n".join(f"| {region} | {goal} |" for region, goal in goals.items())
    prices = "\n".join(f"| {product} | {price} |" for product, price in PRODUCTS.items())
    notes = "\n\n".join(_note(region, sold) for region in REGIONS)
    return REPORT.format(rows=rows, prices=prices, notes=notes, year=FIRST_DAY.year)


REPORT = """# Sales plan {year}

This plan covers navigation instruments sold through five regional offices. Amounts are in euros,
without taxes. Figures of the year itself are in `sales.csv`, one line per sale.

## Scope

The plan counts what was invoiced between 1 January and 31 December {year}. Returns are booked as
they come and are not part of it. Prices did not change during the year.

## Prices

| Product | Unit price |
|---|---|
{prices}

## Targets

Each office agreed to its own target in the autumn before. A region has reached its target when
the sum of its amounts is at least the target.

| Region | Target |
|---|---|
{rows}

## Offices

{notes}

## How it is judged

The attainment of a region is its amount as a percentage of its target. The whole company is
judged on the sum of amounts against the sum of targets, not on the mean of the regions.
"""


def _note(region: str, sold: Sequence[Sale]) -> str:
    lines = [sale for sale in sold if sale.region == region]
    largest = max(lines, key=lambda sale: (sale.amount, sale.day))
    return (f"### {region}\n\nThe office closed {len(lines)} sales. Its largest was on "
            f"{largest.day}: {largest.units} × {largest.product}.")


def _sales(source: random.Random) -> Iterator[Sale]:
    for _ in range(ROWS):
        product = source.choice(list(PRODUCTS))
        yield Sale(day=FIRST_DAY + timedelta(days=source.randrange(365)),
                   region=source.choice(REGIONS), product=product,
                   units=source.randrange(1, 40), unit_price=Decimal(PRODUCTS[product]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent)
    given = parser.parse_args()
    write(given.folder, given.seed)
