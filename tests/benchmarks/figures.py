"""A measured figure beside its target, and the table of all of them."""

import json
import math
import statistics
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One row: what was measured, in which unit, and what it should reach."""

    name: str
    value: float
    """NaN where nothing could be measured: the name says why."""
    unit: str
    target: float | None
    """`None`: shown beside another figure, without a target of its own."""
    at_least: bool = False
    """Whether the target is a minimum; else it is a maximum."""

    @property
    def holds(self):
        """Tell whether the target is reached."""
        if self.target is None:
            return True
        return self.value >= self.target if self.at_least else self.value <= self.target


def percentile(values, percent):
    """Return a percentile of the values, interpolated."""
    ordered = sorted(values)
    if len(ordered) == 1:
        return ordered[0]
    return statistics.quantiles(ordered, n=1000, method="inclusive")[int(percent * 10) - 1]


def table(figures):
    """Return the figures as lines of text."""
    width = max(len(f.name) for f in figures)
    lines = [f"{'figure':<{width}}  {'value':>10}  {'target':>10}  unit"]
    for f in figures:
        mark = "" if f.holds else "  missed"
        lines.append(f"{f.name:<{width}}  {f.value:>10.2f}  {_target(f):>10}  "
                     f"{f.unit}{mark}")
    return "\n".join(lines)


def _target(figure):
    if figure.target is None:
        return "–"
    return f"{'≥' if figure.at_least else '≤'} {figure.target:g}"


def write(figures, path: Path):
    """Write bench.json: figure → value, unit, target, holds."""
    path.write_text(json.dumps({
        f.name: {"value": None if math.isnan(f.value) else round(f.value, 3), "unit": f.unit,
                 "target": f.target, "holds": f.holds}
        for f in figures}, indent=2) + "\n")
