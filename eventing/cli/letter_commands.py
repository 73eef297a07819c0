"""`tollgate dead-letters list`, `show`, `redrive`."""

from typing import Annotated, Any

import typer

from eventing.cli import show
from eventing.cli.options import DATA, Data, Json, connect, path_part

app = typer.Typer(no_args_is_help=True)
Key = Annotated[str, typer.Argument(metavar="KEY", callback=path_part, help="From the list.")]


@app.command("list")
def list_letters(
    *,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    data: Data = DATA,
    as_json: Json = False,
) -> None:
    """List dead letters, the newest first."""
    with connect(data) as remote:
        found = remote.ask("GET", "deadletters", "/v1/dead-letters", params={"limit": limit})
    if as_json:
        show.as_json(found)
        return
    heads = ("key", "type", "task", "destination", "code", "status", "received_at")
    show.table("", heads, [[letter.get(h) for h in heads] for letter in found["dead_letters"]],
               none="no dead letters")


@app.command("show")
def show_letter(key: Key, *, data: Data = DATA, as_json: Json = False) -> None:
    """Show one dead letter with its event and its cause."""
    with connect(data) as remote:
        found = remote.ask("GET", "deadletters", f"/v1/dead-letters/{key}")
    _print(found, as_json=as_json)


@app.command()
def redrive(key: Key, *, data: Data = DATA, as_json: Json = False) -> None:
    """Send the event again; a task that it failed is opened again."""
    with connect(data) as remote:
        found = remote.ask("POST", "deadletters", f"/v1/dead-letters/{key}/redrive")
    _print(found, as_json=as_json)


def _print(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show.as_json(found)
    else:
        show.fields(found)
