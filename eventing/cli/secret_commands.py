"""`tollgate secrets`: make the keys that functions need, and change one while they run."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from eventing.cli import show
from eventing.cli.exits import Exit, Failure
from eventing.cli.options import NAMESPACE, Json, Kubeconfig, Namespace, environment

app = typer.Typer(no_args_is_help=True)


@app.command()
def make(
    *,
    namespace: Namespace = NAMESPACE,
    tenant: Annotated[str, typer.Option(help="Whom the first API key belongs to.")] = "default",
    api_keys: Annotated[Path | None, typer.Option(
        help="The keys instead: a file as the gateway reads it.")] = None,
    kubeconfig: Kubeconfig = None,
    as_json: Json = False,
) -> None:
    """Make the grant key and the API keys in a cluster, where they are missing."""
    from eventing.environments.namespace_secrets import make as made_in

    with _told(namespace, "apply messaging first; kubectl cluster-info says whether the cluster "
                          "answers"):
        done = made_in(namespace, environment(kubeconfig), tenant=tenant, api_keys=api_keys)
    if as_json:
        show.as_json({"made": done.made, "kept": done.kept, "api_key": done.api_key})
        return
    show.line(f"{namespace}: made {', '.join(done.made) or 'nothing'}"
              + (f"; kept {', '.join(done.kept)}" if done.kept else ""))
    if done.api_key:
        show.line(f"API key of tenant {tenant}, said this once: {done.api_key}")


@app.command("change-key")
def change_key(
    stage: Annotated[str, typer.Argument(help="add, then swap, then drop.")],
    *,
    force: Annotated[bool, typer.Option(
        "--force", help="Drop a key that leaked, with the tasks that it signed for.")] = False,
    namespace: Namespace = NAMESPACE,
    kubeconfig: Kubeconfig = None,
    as_json: Json = False,
) -> None:
    """Change the key that signs grants while functions run: one stage after the other.

    add: all know a new key. swap: all sign with it. drop, a week later: the old one is gone.
    """
    from eventing.environments.key_change import Stage, change

    if stage not in list(Stage):
        raise Failure(Exit.USAGE, f"there is no stage {stage!r}", do=f"one of {', '.join(Stage)}")
    with _told(namespace, "do the same stage again: it goes on"):
        done = change(namespace, environment(kubeconfig), Stage(stage), force=force,
                      say=(lambda _: None) if as_json else show.line)
    if as_json:
        show.as_json({"stage": stage, "restarted": done})
    else:
        show.line(f"{namespace}: {stage} done, {len(done)} functions restarted")


@contextmanager
def _told(namespace: str, todo: str) -> Iterator[None]:
    """Say what a cluster refused, and what to do then.

    Raises:
        Failure: whatever failed inside.
    """
    from eventing.environments.kubectl import Unanswered
    from shared.errors import TollgateError

    try:
        yield
    except Unanswered as error:
        raise Failure(Exit.UNREACHABLE, str(error), where=f"namespace {namespace}",
                      do=todo) from error
    except TollgateError as error:
        raise Failure(Exit.USAGE, error.detail) from error
