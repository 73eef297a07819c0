"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from eventing.cli.place import DATA_DEFAULT

Json = Annotated[bool, typer.Option("--json", help="One JSON object for programs.")]
Data = Annotated[Path, typer.Option(
    "--data", envvar="TOLLGATE_DATA", help="The runtime's data folder.", show_default=True)]
DATA = DATA_DEFAULT
