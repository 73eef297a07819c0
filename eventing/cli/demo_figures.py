"""Computes the demo's figures from its files, without any of the code that the agent uses."""

import re
from collections.abc import Mapping
from decimal import Decimal

NUMBER = re.compile(r"(?<![\w.])[-+−]?\d[\d,]*(?:\.\d+)?")


def figures_in(text: str) -> frozenset[Decimal]:
    """Return every number that a text holds; commas between thousands are allowed."""
    return frozenset(Decimal(n.replace(",", "").replace("−", "-")) for n in NUMBER.findall(text))


def expected(sales: str, report: str) -> Mapping[str, Decimal]:
    """Return the figures that a correct answer states, by name."""
    raise NotImplementedError
