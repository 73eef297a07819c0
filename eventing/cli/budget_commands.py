"""`tollgate budget set` and `get`."""

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eventing.cli import show
from eventing.cli.exits import Exit, Failure
from eventing.cli.options import DATA, Data, Json
from eventing.cli.place import Place

if TYPE_CHECKING:
    from eventing.cli.remote import Remote

app = typer.Typer(no_args_is_help=True)
Scope = Annotated[str, typer.Argument(help="tenant, agent, session, model or tool.")]
Name = Annotated[str, typer.Argument(metavar="ID", help="Which one.")]
Span = Annotated[str, typer.Option("--window", help="life, h, d, w or m.")]
COLUMNS = ("limit", "posted", "held", "free")


@app.command("set")
def set_budget(
    scope: Scope,
    name: Name,
    *,
    usd: Annotated[str | None, typer.Option(help="At most so many US dollars.")] = None,
    tokens: Annotated[int | None, typer.Option(help="At most so many tokens.")] = None,
    calls: Annotated[int | None, typer.Option(help="At most so many calls.")] = None,
    window: Span = "life",
    data: Data = DATA,
    as_json: Json = False,
) -> None:
    """Set a limit; what was spent stays spent."""
    given = {"usd": nano(usd), "tok": tokens, "calls": calls}
    limits = {unit: limit for unit, limit in given.items() if limit is not None}
    if len(limits) != 1:
        raise Failure(Exit.USAGE, "give one of --usd, --tokens and --calls")
    ((unit, limit),) = limits.items()
    with _remote(data) as remote:
        found = remote.ask("PUT", "ledger", f"/v1/budgets/{scope}/{name}",
                           json={"unit": unit, "window": window, "limit": limit})
    if as_json:
        show.as_json(found)
    else:
        show.line(f"{scope} {name}: at most {_amount(unit, limit)} {unit} per {window}")


def nano(dollars: str | None) -> int | None:
    """Return dollars as nano-USD.

    Raises:
        Failure: it is no amount, or finer than a nano-USD.
    """
    if dollars is None:
        return None
    try:
        amount = Decimal(dollars) * show.NANO
        exact = amount.is_finite() and amount == int(amount) and amount >= 0
    except (InvalidOperation, ValueError, OverflowError):
        exact = False
    if not exact:
        raise Failure(Exit.USAGE, f"--usd {dollars!r} is no amount in steps of 0.000000001")
    return int(amount)


@app.command()
def get(scope: Scope, name: Name, *, window: Span = "life", data: Data = DATA,
        as_json: Json = False) -> None:
    """Show limits, and what is posted, held and free, in a window's current stretch."""
    with _remote(data) as remote:
        found = remote.ask("GET", "ledger", f"/v1/budgets/{scope}/{name}/usage",
                           params={"window": window})
    if as_json:
        show.as_json(found)
        return
    rows = [(unit, *(_amount(unit, at[column]) for column in COLUMNS))
            for unit, at in found["units"].items()]
    show.table(found["account"], ("unit", *(f"{column}#" for column in COLUMNS)), rows)


def _amount(unit: str, value: int | None) -> str:
    if value is None:
        return "–"
    return show.usd(value) if unit == "usd" else str(value)


def _remote(data: Path) -> "Remote":
    from eventing.cli.remote import Remote

    return Remote(Place(data))
