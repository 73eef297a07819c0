"""`tollgate rollout start`, `status`, `list`, `promote`, `abort`, `rollback`."""

import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eventing.cli import show
from eventing.cli.exits import Exit, Failure
from eventing.cli.options import NAMESPACE, Json, Kubeconfig, Namespace

if TYPE_CHECKING:
    from eventing.cli.rollout_cluster import Cluster
    from shared.rollouts.plan import Rollout

app = typer.Typer(no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="FUNCTION", help="The function's name.")]
Reason = Annotated[str, typer.Option(help="Why; it goes into the event.")]
WATCH_S = 2.0


@app.command()
def start(  # noqa: PLR0913 - one option each
    function: Name,
    *,
    image: Annotated[str | None, typer.Option(help="The new image.")] = None,
    revision: Annotated[str | None, typer.Option(
        help="A revision that exists, instead of the newest.")] = None,
    stable: Annotated[str | None, typer.Option(
        help="What it is compared with, instead of what serves now.")] = None,
    percent: Annotated[int, typer.Option(min=0, max=100, help="Its share of requests.")] = 10,
    min_samples: Annotated[int, typer.Option(help="Of each revision, before a verdict.")] = 30,
    max_duration: Annotated[str, typer.Option(help="Then it ends: 90m, 2h.")] = "2h",
    max_cost_ratio: Annotated[float, typer.Option(help="Of cost per success.")] = 1.2,
    max_error_increase: Annotated[float, typer.Option(help="0.05: five points.")] = 0.05,
    max_p95_ratio: Annotated[float, typer.Option(help="Of the slowest 5 %.")] = 1.5,
    alpha: Annotated[float, typer.Option(help="Chance to abort an equal revision.")] = 0.05,
    auto_promote: Annotated[bool, typer.Option(
        "--auto-promote", help="Promote on a pass.")] = False,
    if_insufficient: Annotated[str, typer.Option(
        help="At the end without a verdict: abort or hold.")] = "abort",
    ready_timeout: Annotated[float, typer.Option(help="Seconds to get ready.")] = 300.0,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the end; 1 if aborted.")] = False,
    namespace: Namespace = NAMESPACE,
    kubeconfig: Kubeconfig = None,
    as_json: Json = False,
) -> None:
    """Give a new revision a share of the requests, and compare what its tasks cost."""
    from eventing.cli.rollout_flow import Asked, started

    bounds = _bounds(
        min_samples=min_samples, max_duration_s=_seconds(max_duration), alpha=alpha,
        max_cost_ratio=max_cost_ratio, max_error_increase=max_error_increase,
        max_p95_ratio=max_p95_ratio, auto_promote=auto_promote, if_insufficient=if_insufficient)
    asked = Asked(image=image, revision=revision, stable=stable, percent=percent, bounds=bounds,
                  ready_s=ready_timeout)
    cluster = _cluster(namespace, kubeconfig)
    _shown(cluster, function, started(cluster, function, asked, _say), as_json=as_json)
    if wait:
        _followed(cluster, function, as_json=as_json)


@app.command()
def status(function: Name, *, namespace: Namespace = NAMESPACE, kubeconfig: Kubeconfig = None,
           as_json: Json = False) -> None:
    """Show a function's latest rollout with both revisions' figures."""
    from eventing.cli.rollout_flow import present

    cluster = _cluster(namespace, kubeconfig)
    _shown(cluster, function, present(cluster.service(function)), as_json=as_json)


@app.command("list")
def list_rollouts(*, namespace: Namespace = NAMESPACE, kubeconfig: Kubeconfig = None,
                  as_json: Json = False) -> None:
    """List the functions that have a rollout."""
    from eventing.cli import rollout_show
    from shared.rollouts.plan import Rollout

    services = _cluster(namespace, kubeconfig).services()
    found = [(service, rollout) for service in services if (rollout := Rollout.of(service))]
    if as_json:
        show.as_json({"rollouts": [rollout_show.document(*one) for one in found]})
    else:
        rollout_show.listing(found)


@app.command()
def promote(function: Name, *, reason: Reason = "promoted by hand",
            namespace: Namespace = NAMESPACE, kubeconfig: Kubeconfig = None,
            as_json: Json = False) -> None:
    """Give the candidate all requests."""
    from eventing.cli.rollout_flow import moved
    from shared.rollouts import moves

    cluster = _cluster(namespace, kubeconfig)
    rollout = moved(cluster, function, lambda s, now: moves.promoted(s, now, reason))
    _shown(cluster, function, rollout, as_json=as_json)


@app.command()
def abort(function: Name, *, reason: Reason = "aborted by hand",
          namespace: Namespace = NAMESPACE, kubeconfig: Kubeconfig = None,
          as_json: Json = False) -> None:
    """Take the candidate out at once."""
    from eventing.cli.rollout_flow import moved
    from shared.rollouts import moves

    cluster = _cluster(namespace, kubeconfig)
    rollout = moved(cluster, function, lambda s, now: moves.aborted(s, now, reason))
    _shown(cluster, function, rollout, as_json=as_json)


@app.command()
def rollback(function: Name, *,
             to: Annotated[str | None, typer.Option(help="Another than the previous one.")] = None,
             namespace: Namespace = NAMESPACE, kubeconfig: Kubeconfig = None,
             as_json: Json = False) -> None:
    """Give the previous revision all requests at once, whatever runs."""
    from eventing.cli.rollout_flow import rolled_back

    cluster = _cluster(namespace, kubeconfig)
    _shown(cluster, function, rolled_back(cluster, function, to), as_json=as_json)


def _cluster(namespace: str, kubeconfig: str | None) -> "Cluster":
    from eventing.cli.rollout_cluster import Cluster

    return Cluster(namespace, kubeconfig)


def _shown(cluster: "Cluster", name: str, rollout: "Rollout", *, as_json: bool) -> None:
    from eventing.cli import rollout_show
    from eventing.cli.rollout_flow import settled

    service = settled(cluster, name)
    if as_json:
        show.as_json(rollout_show.document(service, rollout))
    else:
        rollout_show.status(service, rollout)


def _followed(cluster: "Cluster", name: str, *, as_json: bool) -> None:
    """Wait until the rollout has ended, at most its maximum duration and two rounds."""
    from eventing.cli.rollout_flow import present

    rollout = present(cluster.service(name))
    until = (rollout.ends_at or time.time()) + 180
    while rollout.phase.active and time.time() < until:
        time.sleep(WATCH_S)
        rollout = present(cluster.service(name))
    _shown(cluster, name, rollout, as_json=as_json)
    if rollout.phase.value in ("aborted", "reverted"):
        raise typer.Exit(Exit.FAILED)
    if rollout.phase.active and rollout.verdict != "pass":
        raise Failure(Exit.FAILED, f"the rollout did not end: {rollout.reason}", where=name,
                      do="does the function rollouts run? kubectl get ksvc rollouts")


def _bounds(**given: Any) -> Any:
    from pydantic import ValidationError

    from shared.rollouts.plan import Bounds

    try:
        return Bounds(**given)
    except ValidationError as error:
        first = error.errors()[0]
        raise Failure(Exit.USAGE, f"--{str(first['loc'][0]).removesuffix('_s').replace('_', '-')}:"
                                  f" {first['msg']}") from error


def _seconds(duration: str) -> float:
    from eventing.local.manifests.serving_kinds import go_seconds

    try:
        return go_seconds(duration)
    except ValueError as error:
        raise Failure(Exit.USAGE, f"--max-duration: {error}") from error


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
