"""`tollgate send`: a CloudEvent from outside, through the gateway."""

import json
import sys
from typing import Annotated, Any
from uuid import uuid4

import typer

from eventing.cli import show
from eventing.cli.exits import Exit, Failure
from eventing.cli.files import text_given
from eventing.cli.options import DATA, Data, Json, connect


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(send)


def send(
    payload: Annotated[str, typer.Argument(metavar="DATA", help="JSON; @FILE, or - for stdin.")],
    *,
    event_type: Annotated[str, typer.Option("--type")] = "dev.tollgate.task.submitted.v1",
    source: Annotated[str, typer.Option(help="Who sends: a URI reference.")] = "/cli",
    event_id: Annotated[str | None, typer.Option(
        "--id", help="The same source and id again is the same event.")] = None,
    extension: Annotated[list[str] | None, typer.Option(
        "--ext", metavar="NAME=VALUE", help="An extension; may be repeated.")] = None,
    data: Data = DATA,
    as_json: Json = False,
) -> None:
    """Send a CloudEvent; a task.submitted answers with the task's address."""
    event = {**extensions(extension or []), "specversion": "1.0", "type": event_type,
             "source": source, "id": event_id or str(uuid4()),
             "datacontenttype": "application/json", "data": _json(payload)}
    with connect(data) as remote:
        found = remote.ask("POST", "gateway", "/events", content=json.dumps(event),
                           headers={"Content-Type": "application/cloudevents+json"})
    if as_json:
        show.as_json(found)
    elif found.get("location"):
        show.line(f"accepted; its task: tollgate task watch {found['location'].split('/')[-1]}")
    else:
        show.line("accepted")


def extensions(given: list[str]) -> dict[str, str]:
    """Return `name=value` texts as attributes.

    Raises:
        Failure: one has no `=`.
    """
    pairs = [text.partition("=") for text in given]
    if wrong := [name for name, equals, _ in pairs if not equals]:
        raise Failure(Exit.USAGE, f"--ext {wrong[0]}: write it as name=value")
    return {name: value for name, _, value in pairs}


def _json(payload: str) -> Any:
    text = sys.stdin.read() if payload == "-" else text_given(payload)
    try:
        return json.loads(text)
    except ValueError as error:
        raise Failure(Exit.USAGE, f"the data is not JSON: {error}",
                      do="""an example: tollgate send '{"agent": "researcher", "prompt": "…"}'""",
                      ) from error
