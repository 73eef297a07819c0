"""Prints answers: tables for people, one JSON object for programs."""

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

NANO = 10**9


def as_json(value: Any) -> None:
    """Print one line of JSON."""
    print(json.dumps(value, default=str), flush=True)


def line(text: str = "", *, style: str = "") -> None:
    """Print a line; `style` only on a terminal."""
    console().print(text, style=style or None, markup=False, highlight=False, soft_wrap=True)


def table(title: str, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table; a column whose head ends in `#` is a number."""
    from rich.table import Table
    from rich.text import Text  # rich takes 60 ms to import, and --json never needs it

    drawn = Table(title=title or None, title_justify="left", box=None, pad_edge=False,
                  header_style="bold")
    for head in heads:
        numeric = head.endswith("#")
        drawn.add_column(head.rstrip("#"), justify="right" if numeric else "left",
                         overflow="fold")
    for row in rows:
        drawn.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    console().print(drawn)


def console() -> Any:
    """Return the terminal, made on first use."""
    global _console  # noqa: PLW0603 - one terminal per process
    if _console is None:
        from rich.console import Console

        _console = Console()
    return _console


_console: Any = None


def usd(nano: int) -> str:
    """Return nano-USD as exact dollars."""
    return f"${Decimal(nano) / NANO:f}"
