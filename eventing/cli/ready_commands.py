"""`tollgate ready`: is an environment ready for production, and what shows it?"""

import os
from typing import Annotated

import typer

from eventing.cli import show
from eventing.cli.exits import Exit, Failure
from eventing.cli.options import NAMESPACE, Json, Kubeconfig, Namespace, environment

Environment = Annotated[str, typer.Option("--env", help="Environment: a folder of "
                                                        "terraform/environments.")]
Live = Annotated[bool, typer.Option("--live", help="Also ask the cluster that kubectl means.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(ready)


def ready(*, env: Environment, live: Live = False, namespace: Namespace = NAMESPACE,
          kubeconfig: Kubeconfig = None, as_json: Json = False) -> None:
    """Check an environment for production, each answer with its evidence.

    Observability, scaling, fault tolerance, security, monitoring, cost controls,
    independent deployment. What has no evidence does not hold.
    Exit code 0 if everything holds, else 1.
    """
    from eventing.readiness.judging import judged
    from eventing.readiness.subject import Subject
    from shared.errors import TollgateError

    try:
        there = {**os.environ, **environment(kubeconfig)} if live else None
        found = judged(Subject.of(env), there, namespace)
    except TollgateError as error:
        raise Failure(Exit.USAGE, error.detail) from error
    holding = sum(finding.holds for finding in found)
    if as_json:
        show.as_json({finding.name: finding.document() for finding in found})
    else:
        show.table("", ("area", "check", "holds", "evidence~"), (
            (f.area, f.name, "yes" if f.holds else "NO", f.verdict.evidence or "none")
            for f in found))
        for finding in found:
            if not finding.holds:
                show.line(f"{finding.name}: {finding.verdict.todo}", style="red")
        show.line(f"{env}: {holding} of {len(found)} checks hold"
                  + ("" if live else "; --live asks the cluster, too"))
    if holding < len(found):
        raise typer.Exit(Exit.FAILED)
