"""`tollgate stop` and `tollgate start`: the kill switch, from the next call on."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eventing.cli import show
from eventing.cli.exits import Exit, Failure
from eventing.cli.options import DATA, Data, Json, connect, path_part

if TYPE_CHECKING:
    from eventing.cli.remote import Remote

KINDS = ("agent", "tool", "tenant", "all")
Kind = Annotated[str, typer.Argument(help="agent, tool, tenant or all.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Which one; none for all.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(stop)
    app.command()(start)
    app.command()(stops)


def stop(
    kind: Kind, name: Name = "", *,
    reason: Annotated[str, typer.Option(help="Why; whoever is denied is told.")],
    fail: Annotated[bool, typer.Option(
        "--fail", help="End tasks at their next step; else they wait for the start.")] = False,
    data: Data = DATA, as_json: Json = False,
) -> None:
    """Let an agent, a tool, a tenant or everything spend nothing, from the next call on."""
    body = {"reason": reason, "policy": "fail" if fail else "pause"}
    with connect(data) as remote:
        found = remote.ask("PUT", "ledger", _path(kind, name), json=body)
        doubt = _doubt(remote, kind, name)
    if as_json:
        show.as_json({**found, "warnings": [doubt] if doubt else []})
        return
    if doubt:
        show.warning(doubt)
    show.line(f"{called(found)} stopped: {_then(kind, fail)}; calls that run are not cut off")
    show.line(f"again: tollgate start {kind} {name}".rstrip(), style="dim")


def start(kind: Kind, name: Name = "", *, data: Data = DATA, as_json: Json = False) -> None:
    """Let it spend again, and wake the tasks that waited."""
    with connect(data) as remote:
        found = remote.ask("DELETE", "ledger", _path(kind, name))
    if as_json:
        show.as_json(found)
    else:
        show.line(f"{called(found)} started; it was stopped {_age(found)} ago: {found['reason']}")


def stops(*, data: Data = DATA, as_json: Json = False) -> None:
    """Show what is stopped, since when, and why."""
    with connect(data) as remote:
        found = remote.ask("GET", "ledger", "/v1/stops")
    if as_json:
        show.as_json(found)
    elif found["stops"]:
        show.table("", ("stopped", "since", "tasks", "reason~"), [
            (called(one), _age(one), one["policy"], one["reason"]) for one in found["stops"]])
    else:
        show.line("nothing is stopped")


def _then(kind: str, fail: bool) -> str:
    if kind == "tool":
        return "a model that asks for it is told, and goes on without"
    return "tasks fail at their next step" if fail else "tasks wait at their next step"


def _path(kind: str, name: str) -> str:
    if kind not in KINDS:
        raise Failure(Exit.USAGE, f"{kind!r} is none of {', '.join(KINDS)}")
    if (kind == "all") is bool(name):
        wanted = "takes no name" if kind == "all" else f"needs the name of the {kind}"
        raise Failure(Exit.USAGE, f"{kind} {wanted}", do=f"tollgate stop {kind} …")
    return f"/v1/stops/{kind}/{path_part(name or 'all')}"


def _doubt(remote: "Remote", kind: str, name: str) -> str:
    """Return that nothing here has the name, which may be a slip; empty if nobody can tell."""
    if kind not in ("agent", "tool"):
        return ""
    try:
        agents = remote.ask("GET", "gateway", "/agents")["agents"]
    except Failure:
        return ""  # what is stopped is stopped
    known = {one for agent in agents
             for one in ([agent["name"]] if kind == "agent" else agent["tools"])}
    if name in known:
        return ""
    return f"no {kind} is called {name} here; there are: {', '.join(sorted(known)) or 'none'}"


def stops_of(remote: "Remote") -> list[dict[str, Any]] | None:
    """Return what is stopped, `None` if the ledger does not tell."""
    try:
        found: list[dict[str, Any]] = remote.ask("GET", "ledger", "/v1/stops")["stops"]
    except Failure:
        return None
    return found


def called(one: dict[str, Any]) -> str:
    """Return what a stop stops."""
    return "everything" if one["kind"] == "all" else f"{one['kind']} {one['name']}"


def _age(one: dict[str, Any]) -> str:
    return show.age(datetime.fromtimestamp(one["at"], UTC).isoformat())
