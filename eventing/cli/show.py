"""Prints answers: tables for people, one JSON object for programs."""

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.amounts import usd

__all__ = ["age", "as_json", "console", "fields", "line", "table", "usd", "warning"]


def as_json(value: Any) -> None:
    """Print one line of JSON."""
    print(json.dumps(value, default=str), flush=True)


def line(text: str = "", *, style: str = "") -> None:
    """Print a line; `style` only on a terminal."""
    console().print(text, style=style or None, markup=False, highlight=False, soft_wrap=True)


def warning(text: str) -> None:
    """Print what may be wrong although the command did what it was told."""
    line(f"warning: {text}", style="yellow")


def table(title: str, heads: Sequence[str], rows: Iterable[Sequence[Any]], *,
          none: str = "") -> None:
    """Print a table; a head ends in `#` over numbers, in `~` over sentences, which may be folded.

    As wide as it must be: only a terminal has sentences folded, and nothing is ever cut. Without
    rows, `none` is said if it is given.
    """
    from eventing.cli.columns import laid_out  # rich takes 60 ms, and --json never needs it

    listed = list(rows)
    if none and not listed:
        line(none)
        return
    is_seen = sys.stdout.isatty() or "COLUMNS" in os.environ
    head, *others = laid_out(heads, listed, console().width if is_seen else None)
    if title:
        line(title, style="italic")
    if head:
        line(head, style="bold")
    for text in others:
        line(text)


def fields(found: Mapping[str, Any]) -> None:
    """Print names and values of one thing; what is no text is JSON, as programs get it."""
    table("", ("", "~"), ((name, value if isinstance(value, str | None)
                           else json.dumps(value)) for name, value in found.items()))


def console() -> Any:
    """Return the terminal, made on first use."""
    global _console  # noqa: PLW0603 - one terminal per process
    if _console is None:
        from rich.console import Console

        _console = Console()
    return _console


_console: Any = None


def age(moment: str) -> str:
    """Return how long ago an RFC 3339 time was, as `kubectl` does: `42s`, `5m10s`, `3h12m`."""
    return _length(datetime.now(UTC) - datetime.fromisoformat(moment))


def until(moment: str) -> str:
    """Return how long from now an RFC 3339 time is, as `age` writes it."""
    return _length(datetime.fromisoformat(moment) - datetime.now(UTC))


def _length(time: timedelta) -> str:
    whole = max(0, int(time.total_seconds()))
    days, hours, minutes = whole // 86400, whole // 3600 % 24, whole // 60 % 60
    if days:
        return f"{days}d{hours}h"
    if hours:
        return f"{hours}h{minutes}m"
    return f"{minutes}m{whole % 60}s" if minutes else f"{whole}s"
