"""`tollgate demo`."""

from pathlib import Path
from typing import Annotated

import typer

from eventing.cli.exits import Exit
from eventing.cli.options import Json


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    *,
    data: Annotated[Path | None, typer.Option(
        "--data", help="Keep state and logs here; else they are removed.")] = None,
    files: Annotated[Path | None, typer.Option(
        "--files", help="Another folder with sales.csv and report.md.")] = None,
    as_json: Json = False,
) -> None:
    """Run one real task on a system of its own, and check that everything adds up."""
    from eventing.cli.demo import Demo
    from eventing.cli.demo_system import EXAMPLES

    if not Demo(data, files or EXAMPLES, quiet=as_json).run():
        raise typer.Exit(Exit.FAILED)
