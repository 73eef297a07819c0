"""Turns figures into what the pages show, without I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functions.costs.report import Question, Row, grouped

if TYPE_CHECKING:
    from jinja2 import Environment

NANO = 10**9
CHART_WIDTH = 1_000
"""Units of the timeline's drawing; the browser scales it."""

BAR_MIN = 4
"""A bar shorter than this would not be seen."""

_HERE = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Bar:
    """One invocation in the drawing of a task's time."""

    x: int
    width: int
    kind: str
    label: str


def usd(nano: int) -> str:
    """Return nano-USD as exact dollars with at least two decimals: `$0.0000015`."""
    whole, rest = divmod(abs(nano), NANO)
    decimals = f"{rest:09d}".rstrip("0").ljust(2, "0")
    return f"{'−' if nano < 0 else ''}${whole:,}.{decimals}"


def number(count: int) -> str:
    """Return a count with its thousands set apart."""
    return f"{count:,}"


def clock(text: str | None) -> str:
    """Return an RFC 3339 instant as UTC date and time to the second, for people."""
    if not text:
        return "–"
    at = datetime.fromisoformat(text).astimezone(UTC)
    return at.strftime("%Y-%m-%d %H:%M:%S")


def moment(text: str | None) -> str:
    """Return an RFC 3339 instant as UTC date and time to the millisecond: steps are short."""
    if not text:
        return "–"
    at = datetime.fromisoformat(text).astimezone(UTC)
    return at.strftime("%Y-%m-%d %H:%M:%S.") + f"{at.microsecond // 1000:03d}"


def duration(milliseconds: int | None) -> str:
    """Return a duration for people."""
    if milliseconds is None:
        return "–"
    return f"{milliseconds} ms" if milliseconds < 1_000 else f"{milliseconds / 1_000:.1f} s"


def tables(rows: Sequence[Row]) -> dict[str, list[dict[str, Any]]]:
    """Return the rows by agent, tool and model; the last two leave out what is neither."""
    return {name: _table(name, rows) for name in ("agent", "tool", "model")}


def _table(name: str, rows: Sequence[Row]) -> list[dict[str, Any]]:
    found = [row for row in grouped(Question((name,)), rows) if row.of[name] is not None]
    most = max((row.sums.cost_nano for row in found), default=0)
    return [{"name": row.of[name] or "–", "sums": row.sums, "most": max(most, 1)}
            for row in found]


def tasks(names: Sequence[str], lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the latest tasks with their timelines' figures."""
    return [{"id": name, "agent": line["agent"], "total_nano": line["total_nano"],
             "invocations": len(line["invocations"]), "denials": len(line["denials"]),
             "last": max((e["at"] for e in (*line["invocations"], *line["denials"])), default=None)}
            for name, line in zip(names, lines, strict=True)]


def bars(invocations: Sequence[Mapping[str, Any]]) -> list[Bar | None]:
    """Return a bar per invocation, `None` for one without times."""
    timed = [(_ms(i["started"]), _ms(i["ended"])) for i in invocations
             if i["started"] and i["ended"]]
    if not timed:
        return [None for _ in invocations]
    begin, end = min(s for s, _ in timed), max(e for _, e in timed)
    scale = (CHART_WIDTH - BAR_MIN) / max(end - begin, 1)
    return [_bar(i, begin, scale) for i in invocations]


def _bar(invocation: Mapping[str, Any], begin: float, scale: float) -> Bar | None:
    if not invocation["started"] or not invocation["ended"]:
        return None
    start, end = _ms(invocation["started"]), _ms(invocation["ended"])
    width = max(round((end - start) * scale), BAR_MIN)
    label = f"{invocation['name']}, {duration(invocation['duration_ms'])}"
    return Bar(round((start - begin) * scale), width, invocation["kind"], label)


def _ms(text: str) -> float:
    return datetime.fromisoformat(text).timestamp() * 1_000


def render(template: str, **values: Any) -> str:
    """Return a page; everything in it is escaped."""
    return _templates().get_template(template).render(**values)


@cache
def _templates() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # events never need it

    made = Environment(loader=FileSystemLoader(_HERE), autoescape=True, trim_blocks=True,
                       lstrip_blocks=True, undefined=StrictUndefined)
    made.filters |= {"usd": usd, "clock": clock, "duration": duration, "number": number,
                     "moment": moment}
    return made


@cache
def style() -> str:
    """Return the style sheet of the pages."""
    return (_HERE / "style.css").read_text()
