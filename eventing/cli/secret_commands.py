"""`tollgate secrets make`."""

from pathlib import Path
from typing import Annotated

import typer

from eventing.cli import show
from eventing.cli.exits import Exit, Failure
from eventing.cli.options import Json

app = typer.Typer(no_args_is_help=True)


@app.callback()
def secrets() -> None:
    """Keep `make` a command of its own: an app with one command would have none."""


@app.command()
def make(
    *,
    namespace: Annotated[str, typer.Option(help="Where the functions are.")] = "tollgate",
    tenant: Annotated[str, typer.Option(help="Whom the first API key belongs to.")] = "default",
    api_keys: Annotated[Path | None, typer.Option(
        help="The keys instead: a file as the gateway reads it.")] = None,
    kubeconfig: Annotated[str | None, typer.Option(
        envvar="KUBECONFIG", help="Of the cluster.")] = None,
    as_json: Json = False,
) -> None:
    """Make the grant key and the API keys in a cluster, where they are missing."""
    from eventing.environments.kubectl import Unanswered
    from eventing.environments.namespace_secrets import make as made_in
    from shared.errors import TollgateError

    env = {"KUBECONFIG": kubeconfig} if kubeconfig else {}
    try:
        done = made_in(namespace, env, tenant=tenant, api_keys=api_keys)
    except Unanswered as error:
        raise Failure(Exit.UNREACHABLE, str(error), where=f"namespace {namespace}",
                      do="apply messaging first; kubectl cluster-info says whether the cluster "
                         "answers") from error
    except TollgateError as error:
        raise Failure(Exit.USAGE, str(error)) from error
    if as_json:
        show.as_json({"made": done.made, "kept": done.kept, "api_key": done.api_key})
        return
    show.line(f"{namespace}: made {', '.join(done.made) or 'nothing'}"
              + (f"; kept {', '.join(done.kept)}" if done.kept else ""))
    if done.api_key:
        show.line(f"API key of tenant {tenant}, said this once: {done.api_key}")
