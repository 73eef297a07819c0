"""Says on a terminal what takes long, for how long already, and how much has come."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress(what: str, *, sized: bool = False) -> Iterator[Callable[[int], None]]:
    """Show a line on standard error until the block ends; yield what to tell how many bytes came.

    Nothing is written where standard error is no terminal.
    """
    if not sys.stderr.isatty():
        yield lambda size: None
        return
    from rich.console import Console
    from rich.progress import FileSizeColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = [SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(),
               *([FileSizeColumn()] if sized else [])]
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(what, total=None)
        yield lambda size: shown.advance(task, size)
