"""`tollgate costs`: what it cost, and whether anything is missing."""

from typing import Annotated, Any

import typer

from eventing.cli import show
from eventing.cli.exits import Exit, Failure
from eventing.cli.options import DATA, Data, Json, connect, path_part, present
from eventing.cli.progress import progress
from shared.amounts import amount

app = typer.Typer()
TASK_HEADS = ("step#", "kind", "name", "outcome", "tokens#", "took#", "cost#")


@app.callback(invoke_without_command=True)
def costs(  # noqa: PLR0913 - one per kind of question
    context: typer.Context,
    *,
    by: Annotated[str, typer.Option(
        help="agent, tool, model, session, task, outcome, day, month …; several with commas.")
        ] = "agent",
    task: Annotated[str | None, typer.Option(help="Every invocation of one task.")] = None,
    since: Annotated[str | None, typer.Option(
        "--from", "--since", help="A day or an instant, included.")] = None,
    until: Annotated[str | None, typer.Option(
        "--to", "--until", help="A day or an instant, excluded.")] = None,
    denied: Annotated[bool, typer.Option("--denied", help="What was refused, and why.")] = False,
    gaps: Annotated[bool, typer.Option(
        "--gaps", help="Prove that no event of the ledger is missing; exit code 1 if one is.")
        ] = False,
    data: Data = DATA,
    as_json: Json = False,
) -> None:
    """Show costs; the rows add up to the ledger's total exactly."""
    if context.invoked_subcommand:
        return
    if sum(map(bool, (task, denied, gaps))) > 1:
        raise Failure(Exit.USAGE, "--task, --denied and --gaps are three questions: ask one")
    path, query = _question(task, by, denied=denied, gaps=gaps)
    spans = {"from": since, "to": until} if path == "/v1/costs" else {}
    with connect(data) as remote:
        found = remote.ask("GET", "costs", path,
                           params=query | present(**spans))
    if as_json:
        show.as_json(found)
    else:
        _show(path, found)
    if gaps and not found["gapless"]:
        raise typer.Exit(Exit.FAILED)


def _question(task: str | None, by: str, *, denied: bool, gaps: bool,
              ) -> tuple[str, dict[str, str]]:
    if task:
        return f"/v1/costs/tasks/{path_part(task)}", {}
    if denied:
        return "/v1/denials", {}
    return ("/v1/gaps", {}) if gaps else ("/v1/costs", {"group_by": by})


def _show(path: str, found: dict[str, Any]) -> None:
    match path:
        case "/v1/costs":
            _sums(found)
        case "/v1/denials":
            show.table("", ("at", "agent", "task", "account", "need#", "have#", "reason"), [
                (d["at"], d["agent"], d["task"], d["account"], amount(d["unit"], d["need"]),
                 amount(d["unit"], d["have"]), d["reason"]) for d in found["denials"]],
                none="nothing was denied")
        case "/v1/gaps":
            _gaps(found)
        case _:
            _task(found)


def _sums(found: dict[str, Any]) -> None:
    names = found["group_by"]
    rows = [(*(row[n] or "–" for n in names), row["invocations"], row["tokens"],
             show.usd(row["cost_nano"])) for row in found["rows"]]
    whole = ("total", *("" for _ in names[1:]), found["invocations"], found["tokens"],
             show.usd(found["total_nano"]))
    show.table("", (*names, "invocations#", "tokens#", "cost#"), [*rows, whole])


def _task(found: dict[str, Any]) -> None:
    rows = [(i["step"], i["kind"], i["name"], i["outcome"], i["tokens"],
             f"{i['duration_ms']} ms", show.usd(i["cost_nano"])) for i in found["invocations"]]
    show.table(f"task {found['task']}", TASK_HEADS, rows)
    show.line(f"total {show.usd(found['total_nano'])}", style="bold")


def _gaps(found: dict[str, Any]) -> None:
    show.table("", ("epoch", "first#", "last#", "count#", "missing#", "duplicates#"),
               [(e["epoch"], e["first"], e["last"], e["count"], e["missing_count"],
                 e["duplicates"]) for e in found["epochs"]])
    show.line("gapless" if found["gapless"] else "events are missing", style="bold")


@app.command()
def fill(*, data: Data = DATA, as_json: Json = False) -> None:
    """Fetch missing events from the ledger, which keeps them for 14 days; 1 if some stay away."""
    with connect(data) as remote:
        found = remote.ask("POST", "costs", "/v1/gaps/fill")
    if as_json:
        show.as_json(found)
    else:
        show.line(f"{found['filled']} events fetched")
        _gaps(found)
    if not found["gapless"]:
        raise typer.Exit(Exit.FAILED)


@app.command()
def reconcile(
    *,
    tenant: Annotated[str | None, typer.Option(help="The key's own, if not given.")] = None,
    since: Annotated[str | None, typer.Option("--from", help="A day or instant, included.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="A day or instant, excluded.")] = None,
    data: Data = DATA,
    as_json: Json = False,
) -> None:
    """Compare ledger, outbox, cost store, archive and FOCUS rows; exit code 0 if all agree."""
    from eventing.cli.remote import RECOUNT_TIMEOUT

    asked = {"tenant": tenant, "from": since, "to": until}
    with connect(data) as remote, progress("comparing every event"):
        found = remote.ask("GET", "costs", "/v1/reconcile", params=present(**asked),
                           timeout=RECOUNT_TIMEOUT)
    if as_json:
        show.as_json(found)
    else:
        _compared(found)
    if not found["agrees"]:
        raise typer.Exit(Exit.FAILED)


def _compared(found: dict[str, Any]) -> None:
    rows = [(name, "unknown" if nano is None else show.usd(nano),
             found["differences"].get(name, 0)) for name, nano in found["sources"].items()]
    show.table("", ("source", "cost#", "difference in nano-USD#"), rows)
    for note in found["notes"]:
        show.line(note)
    if found["missing_events"]:
        show.line(f"{found['missing_events']} events are missing: tollgate costs --gaps")
    show.line("all agree" if found["agrees"] else "they do not agree", style="bold")
