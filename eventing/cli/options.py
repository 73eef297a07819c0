"""Options that several commands share, and what they lead to."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from eventing.cli.exits import Exit, Failure
from eventing.cli.place import DATA_DEFAULT, Place

if TYPE_CHECKING:
    from eventing.cli.remote import Remote

Json = Annotated[bool, typer.Option("--json", help="One JSON object for programs.")]
Data = Annotated[Path, typer.Option(
    "--data", envvar="TOLLGATE_DATA", help="The runtime's data folder.", show_default=True)]
DATA = DATA_DEFAULT
Namespace = Annotated[str, typer.Option("--namespace", "-n", envvar="TOLLGATE_NAMESPACE",
                                        help="Where the functions are.")]
Kubeconfig = Annotated[str | None, typer.Option(envvar="KUBECONFIG", help="Of the cluster.")]
NAMESPACE = "tollgate"
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would change; change nothing.")]


def connect(data: Path) -> "Remote":
    """Return the functions of the system that `--data` names, to ask within a `with`."""
    from eventing.cli.remote import Remote  # httpx2 takes 60 ms to import

    return Remote(Place(data))


def path_part(name: str) -> str:
    """Return a name as one part of a path; nothing in it is taken for more.

    Raises:
        Failure: it is empty.
    """
    if not name.strip():
        raise Failure(Exit.USAGE, "a name is empty")
    return quote(name, safe="")


def present(**given: Any) -> dict[str, Any]:
    """Return what was given: an option left out is no part of a request."""
    return {name: value for name, value in given.items() if value is not None}


def environment(kubeconfig: str | None) -> dict[str, str]:
    """Return the variables that make kubectl mean the cluster of `--kubeconfig`."""
    return {"KUBECONFIG": kubeconfig} if kubeconfig else {}
