"""`tollgate budget set`, `get`, `list`, `remove` and `apply`."""

from pathlib import Path
from typing import Annotated

import typer

from eventing.cli import show
from eventing.cli.budget_words import amount, nano, per
from eventing.cli.budget_words import window as windowed
from eventing.cli.exits import Exit, Failure
from eventing.cli.files import naming, text_of
from eventing.cli.options import DATA, Data, DryRun, Json, connect, path_part, present
from shared.limits import AMOUNT_MAX

app = typer.Typer(no_args_is_help=True)
Scope = Annotated[str, typer.Argument(help="tenant, agent, session, model or tool.")]
Name = Annotated[str, typer.Argument(metavar="ID", help="Which one.")]
Span = Annotated[str, typer.Option(
    "--window", callback=windowed, help="life, or h, d, w, m: hour, day, week, month.")]
Unit = Annotated[str, typer.Option(help="usd, tok or calls.")]
Thresholds = Annotated[list[int] | None, typer.Option(
    "--threshold", metavar="PERCENT", show_default="50 80 90 100", help="Alert at it; repeat.")]
Policy = Annotated[str | None, typer.Option(
    show_default="deny", help="observe, downgrade, deny, or pause: the task waits for budget.")]
Revision = Annotated[int | None, typer.Option(
    help="Only if it is at this revision; 0: only if there is none.")]
COLUMNS = ("limit", "posted", "held", "free")


@app.command("set")
def set_budget(  # noqa: PLR0913 - one option per property of a budget
    scope: Scope,
    name: Name,
    *,
    usd: Annotated[str | None, typer.Option(help="At most so many US dollars.")] = None,
    tokens: Annotated[int | None, typer.Option(
        min=0, max=AMOUNT_MAX, help="At most so many tokens.")] = None,
    calls: Annotated[int | None, typer.Option(
        min=0, max=AMOUNT_MAX, help="At most so many calls.")] = None,
    window: Span = "life",
    policy: Policy = None,
    threshold: Thresholds = None,
    revision: Revision = None,
    data: Data = DATA,
    as_json: Json = False,
) -> None:
    """Set a limit; what was spent stays spent."""
    given = {"usd": nano(usd), "tok": tokens, "calls": calls}
    limits = {unit: limit for unit, limit in given.items() if limit is not None}
    if len(limits) != 1:
        raise Failure(Exit.USAGE, "give one of --usd, --tokens and --calls")
    ((unit, limit),) = limits.items()
    with connect(data) as remote:
        found = remote.ask("PUT", "ledger", _path(scope, name),
                           json=present(unit=unit, window=window, limit=limit, policy=policy,
                                         thresholds=threshold, revision=revision))
    if as_json:
        show.as_json(found)
        return
    for warning in found.get("warnings", ()):
        show.warning(warning)
    show.line(f"{scope} {name}: at most {amount(unit, limit)} {per(window)}")


def _path(scope: str, name: str) -> str:
    return f"/v1/budgets/{scope}/{path_part(name)}"


@app.command()
def remove(scope: Scope, name: Name, *, unit: Unit = "usd", window: Span = "life",
           revision: Revision = None, data: Data = DATA, as_json: Json = False) -> None:
    """Remove a limit; what was spent stays, and is metered further."""
    with connect(data) as remote:
        remote.ask("DELETE", "ledger", _path(scope, name),
                   params=present(unit=unit, window=window, revision=revision))
    if as_json:
        show.as_json({"scope": scope, "id": name, "unit": unit, "window": window, "limit": None})
    else:
        show.line(f"{scope} {name}: no limit of {unit} {per(window)}")


@app.command("apply")
def apply_file(
    file: Annotated[Path, typer.Option("-f", "--file", help="Budgets as YAML: docs/budgets.md.")],
    *,
    dry_run: DryRun = False,
    data: Data = DATA,
    as_json: Json = False,
) -> None:
    """Make the budgets what a file says, all of it or nothing."""
    from eventing.cli import budget_changes

    with connect(data) as remote, naming(file):
        found = remote.ask("POST", "ledger", "/v1/budgets:apply",
                           json={"text": text_of(file), "dry_run": dry_run})
    if as_json:
        show.as_json(found)
    else:
        budget_changes.show_changes(found)


@app.command()
def get(scope: Scope, name: Name, *, window: Span = "life", data: Data = DATA,
        as_json: Json = False) -> None:
    """Show limits, and what is posted, held and free, in a window's current stretch."""
    with connect(data) as remote:
        found = remote.ask("GET", "ledger", f"{_path(scope, name)}/usage",
                           params={"window": window})
    if as_json:
        show.as_json(found)
        return
    rows = [(unit, *(amount(unit, at[column]) for column in COLUMNS), _state(at))
            for unit, at in found["units"].items()]
    show.table(found["account"], ("unit", *(f"{column}#" for column in COLUMNS), "at the limit"),
               rows)


@app.command("list")
def list_budgets(*, data: Data = DATA, as_json: Json = False) -> None:
    """Show every limit, and what is posted, held and free in its window now."""
    from eventing.cli import budget_changes

    with connect(data) as remote:
        found = remote.ask("GET", "ledger", "/v1/budgets")
    if as_json:
        show.as_json(found)
    else:
        budget_changes.show_list(found, _state)


def _state(at: dict[str, object]) -> str:
    return "blocked" if at.get("blocked") else str(at.get("policy") or "")
