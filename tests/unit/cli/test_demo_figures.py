"""The demo's figures come from its files alone."""

from decimal import Decimal

from eventing.cli.demo_figures import expected, figures_in

SALES = """date,region,product,units,unit_price,amount
2026-01-01,North,Lantern,1,23.75,23.75
2026-01-02,South,Lantern,2,23.75,47.50
2026-01-03,North,Compass,1,48.50,48.50
"""
REPORT = """# Plan

| North | 9 |

## Targets

| Region | Target |
|---|---|
| North | 70 |
| South | 60 |

## Offices

| South | 9 |
"""


def test_figures_of_each_region_and_of_all():
    assert expected(SALES, REPORT) == {
        "sold North": Decimal("72.25"), "target North": Decimal(70),
        "gap North": Decimal("2.25"), "percent North": Decimal("103.21"),
        "sold South": Decimal("47.50"), "target South": Decimal(60),
        "gap South": Decimal("12.50"), "percent South": Decimal("79.17"),
        "sold total": Decimal("119.75"), "target total": Decimal(130),
        "gap total": Decimal("10.25"), "percent total": Decimal("92.12")}


def test_numbers_are_found_however_they_are_written():
    said = figures_in("North: **1,234.50** (-12.5, 98.10 %), South 7.")

    assert said == {Decimal("1234.5"), Decimal("12.5"), Decimal("98.1"), Decimal(7)}
