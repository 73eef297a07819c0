"""Draws one task as a trace, from what costs has of it: no collector is needed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from eventing.cli import show

WIDTH = 32
"""Characters of the time axis."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One invocation on the time axis."""

    label: str
    starts_ms: float
    lasts_ms: float
    note: str

    def drawn(self, whole_ms: float) -> str:
        """Return the bar; what lasts too short to see is one mark."""
        scale = WIDTH / max(whole_ms, 1)
        start = min(int(self.starts_ms * scale), WIDTH - 1)
        length = max(1, min(round(self.lasts_ms * scale), WIDTH - start))
        return " " * start + "█" * length + " " * (WIDTH - start - length)


def bars(found: Mapping[str, Any]) -> Iterator[Bar]:
    """Yield a timeline's invocations in their order; those without times are left out."""
    timed = [one for one in found["invocations"] if one.get("started") and one.get("ended")]
    if not timed:
        return
    first = min(_ms(one["started"]) for one in timed)
    for one in timed:
        yield Bar(f"step {one['step']}  {one['kind']} {one['name']}",
                  _ms(one["started"]) - first, _ms(one["ended"]) - _ms(one["started"]),
                  _note(one))


def draw(found: Mapping[str, Any]) -> None:
    """Print the trace: a line per invocation, then denials and corrections, then the sum."""
    drawn = list(bars(found))
    whole = max((bar.starts_ms + bar.lasts_ms for bar in drawn), default=0)
    show.line(f"task {found['task']}  trace {found.get('trace_id') or 'none'}", style="bold")
    wide = max((len(bar.label) for bar in drawn), default=0)
    for bar in drawn:
        show.line(f"{bar.label:<{wide}}  {bar.drawn(whole)}  +{bar.starts_ms / 1000:.3f} s  "
                  f"{bar.lasts_ms:.0f} ms  {bar.note}")
    for one in found["invocations"]:
        if not (one.get("started") and one.get("ended")):
            show.line(f"step {one['step']}  {one['kind']} {one['name']}  no times  {_note(one)}")
    for one in found["denials"]:
        show.line(f"step {one['step']}  denied: {one['account']} ({one['reason']})", style="yellow")
    for one in found["adjustments"]:
        show.line(f"corrected: {one['name']} by {show.usd(one['cost_nano'])}: {one['reason']}")
    show.line(f"{whole / 1000:.3f} s, {found['tokens']} tokens, {show.usd(found['total_nano'])}",
              style="bold")


def _note(one: Mapping[str, Any]) -> str:
    told = [show.usd(one["cost_nano"])]
    told += [f"attempt {one['attempt']}"] if (one.get("attempt") or 1) > 1 else []
    told += ["cold start"] if one.get("cold_start") else []
    told += [one["outcome"]] if one.get("outcome") != "settled" else []
    told += [one["error_type"]] if one.get("error_type") else []
    return ", ".join(told)


def _ms(text: str) -> float:
    return datetime.fromisoformat(text).timestamp() * 1000
