"""`tollgate doctor`: is everything there that it needs, and what to do if not."""

import typer

from eventing.cli import show
from eventing.cli.exits import Exit
from eventing.cli.options import DATA, Data, Json
from eventing.cli.place import Place


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)


def doctor(*, data: Data = DATA, as_json: Json = False) -> None:
    """Check this machine, the manifests, the model's provider and a running system."""
    from eventing.cli.checkup import examine

    findings = examine(Place(data))
    if as_json:
        show.as_json({"healthy": all(f.fine for f in findings),
                      "checks": [{"name": f.name, "fine": f.fine, "found": f.found, "do": f.do}
                                 for f in findings]})
    else:
        for finding in findings:
            advice = f"\n       {finding.do}" if not finding.fine else ""
            show.line(f"{'ok  ' if finding.fine else 'FAIL'}   {finding.name}: {finding.found}"
                      + advice, style="" if finding.fine else "red")
    if not all(f.fine for f in findings):
        raise typer.Exit(Exit.FAILED)
