"""`tollgate ledger rerate`: a period again, under another price table."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eventing.cli import show
from eventing.cli.exits import Exit, Failure
from eventing.cli.files import naming, text_of
from eventing.cli.options import DATA, Data, DryRun, Json, connect

if TYPE_CHECKING:
    from eventing.cli.remote import Remote

app = typer.Typer(no_args_is_help=True)
PAGES_MAX = 100_000
"""Of 200 events each; a ledger keeps 14 days."""


@app.callback()
def ledger() -> None:
    """Correct what was charged."""


@app.command()
def rerate(
    *,
    begin: Annotated[str, typer.Option("--from", help="Date or time (UTC unless it says so).")],
    end: Annotated[str, typer.Option("--to", help="Likewise; not included.")],
    prices: Annotated[Path, typer.Option(help="The table as YAML: label, models, tools.")],
    dry_run: DryRun = False,
    data: Data = DATA,
    as_json: Json = False,
) -> None:
    """Price a period again under another table; the differences become adjustments."""
    span = moment("--from", begin), moment("--to", end)
    if span[0] >= span[1]:
        raise Failure(Exit.USAGE, f"--from {begin} is not before --to {end}")
    body = {"begin": span[0], "end": span[1],
            "prices": text_of(prices), "apply": not dry_run}
    with (connect(data) as remote,
          naming(prices, begin=f"--from {begin}", end=f"--to {end}")):
        found = gathered(remote, body)
    if as_json:
        show.as_json(found)
    else:
        _show(found, dry_run=dry_run)


def moment(option: str, text: str) -> float:
    """Return a date or time as seconds since the epoch.

    Raises:
        Failure: it is none.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise Failure(Exit.USAGE, f"{option} {text!r} is no date",
                      do="write it as 2026-11-01 or 2026-11-01T12:00:00Z") from error
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def gathered(remote: "Remote", body: dict[str, Any]) -> dict[str, Any]:
    """Return all pages' rows, added up by what was called."""
    sums: dict[str, Counter[str]] = {}
    expired, after = 0, ""
    for _ in range(PAGES_MAX):
        page = remote.ask("POST", "ledger", "/v1/rerates", json={**body, "after": after})
        for row in page["rows"]:
            sums.setdefault(row["what"], Counter()).update(
                invocations=1, changed=int(row["delta_nano"] != 0), old_nano=row["old_nano"],
                new_nano=row["new_nano"], delta_nano=row["delta_nano"])
        expired += page["expired"]
        after = page["next"]
        if after is None:
            break
    return {"rows": [{"what": what, **count} for what, count in sorted(sums.items())],
            "expired": expired, "applied": body["apply"],
            "delta_nano": sum(count["delta_nano"] for count in sums.values())}


def _show(found: dict[str, Any], *, dry_run: bool) -> None:
    show.table("", ("what", "invocations#", "changed#", "old#", "new#", "difference#"), [
        (row["what"], row["invocations"], row["changed"], show.usd(row["old_nano"]),
         show.usd(row["new_nano"]), show.usd(row["delta_nano"])) for row in found["rows"]])
    if found["expired"]:
        show.line(f"{found['expired']} charges are too old to correct", style="yellow")
    done = "would be adjusted" if dry_run else "adjusted"
    show.line(f"{done} by {show.usd(found['delta_nano'])}")
