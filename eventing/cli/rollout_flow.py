"""Takes a rollout from one phase to the next; every move may be repeated without harm."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from eventing.cli.exits import Exit, Failure
from eventing.cli.rollout_cluster import Cluster
from shared.errors import Busy, Permanent
from shared.rollouts import moves, traffic
from shared.rollouts.moves import Patch
from shared.rollouts.plan import Bounds, Phase, Rollout

CONFLICTS_MAX = 5
"""Reads of a Service that others change at the same time: the function and Knative itself."""

POLL_S = 0.5
SETTLE_S = 15.0
"""Routes follow a change within a second; after this, what is shown may be a step behind."""

Service = dict[str, Any]
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What `start` was asked for."""

    image: str | None
    revision: str | None
    stable: str | None
    percent: int
    bounds: Bounds
    ready_s: float


def started(cluster: Cluster, name: str, asked: Asked, say: Say) -> Rollout:
    """Return the running rollout: pin, change the image, wait until it is ready, split.

    The same again goes on where it was interrupted; another percentage moves the share.

    Raises:
        Failure: another rollout runs, there is nothing to compare, or it does not get ready –
            then all traffic is where it was.
    """
    rollout = _changed(cluster, name, lambda service: _begun(service, asked))
    if rollout.phase is Phase.STARTING:
        say(f"{rollout.stable} keeps all traffic; waiting for the new revision …")
        candidate = _ready(cluster, name, rollout, asked.ready_s)
        say(f"{candidate} is ready")
        rollout = rollout.but(candidate=candidate)
    wanted = rollout.but(percent=asked.percent, bounds=asked.bounds)
    return _changed(cluster, name, lambda service: _split(service, wanted))


def _split(service: Service, wanted: Rollout) -> Patch | None:
    now = Rollout.of(service)
    if now is None or now.id != wanted.id or not now.phase.active:
        raise Failure(Exit.FAILED, "the rollout ended meanwhile: "
                      f"{now.reason if now else 'its annotation is gone'}")
    is_done = now.phase is Phase.RUNNING and (now.percent, now.bounds) == (
        wanted.percent, wanted.bounds)
    latest = now.but(candidate=wanted.candidate, percent=wanted.percent, bounds=wanted.bounds)
    return None if is_done else moves.split(service, latest, now.started_at or time.time())


def _begun(service: Service, asked: Asked) -> Patch | None:
    now, name = Rollout.of(service), service["metadata"]["name"]
    if now is not None and now.phase.active:
        if _is_same(service, now, asked):
            return None
        raise Failure(Exit.USAGE, f"rollout {now.id} of {name} is {now.phase}: "
                      f"{now.candidate or 'a new revision'} against {now.stable}", where=name,
                      do=f"end it first: tollgate rollout promote {name}, or abort {name}")
    stable = asked.stable or traffic.serving(service)
    image = asked.image if asked.image != _image(service) else None
    candidate = asked.revision or ("" if image else _latest(service))
    if candidate == stable:
        raise Failure(Exit.USAGE, f"{stable} serves and is the newest revision: there is nothing "
                      "to compare", where=name, do="give --image, or say with --stable which "
                      "revision it is to be compared with")
    return moves.pinned(service, Rollout(
        id=uuid4().hex[:8], phase=Phase.STARTING, stable=stable, candidate=candidate,
        percent=asked.percent, created_at=round(time.time(), 3), bounds=asked.bounds), image)


def _is_same(service: Service, now: Rollout, asked: Asked) -> bool:
    return ((asked.image is None or asked.image == _image(service))
            and asked.revision in (None, now.candidate) and asked.stable in (None, now.stable))


def _image(service: Service) -> str:
    return str(service["spec"]["template"]["spec"]["containers"][0]["image"])


def _latest(service: Service) -> str:
    return str(service.get("status", {}).get("latestCreatedRevisionName", ""))


def _ready(cluster: Cluster, name: str, rollout: Rollout, ready_s: float) -> str:
    """Return the candidate once it is ready; else take the rollout back and fail."""
    until = time.monotonic() + ready_s
    why = "no revision was created"
    while time.monotonic() < until:
        candidate = rollout.candidate or _created(cluster.service(name), rollout.stable)
        state, why = _condition(cluster.revision(candidate)) if candidate else ("Unknown", why)
        if state == "True":
            return candidate
        if state == "False":
            break
        time.sleep(POLL_S)
    reason = f"not ready: {why}"
    moved(cluster, name, lambda service, now: moves.aborted(service, now, reason))
    raise Failure(Exit.FAILED, f"the new revision of {name} is {reason}", where=name,
                  do=f"{rollout.stable} has all traffic; look at kubectl describe revision, "
                  "mend the image and start again")


def _created(service: Service, stable: str) -> str:
    """Return the newest revision once the controller has seen the change, else nothing."""
    is_seen = (service.get("status", {}).get("observedGeneration")
               == service["metadata"].get("generation"))
    latest = _latest(service)
    return latest if is_seen and latest != stable else ""


def _condition(revision: dict[str, Any]) -> tuple[str, str]:
    for one in revision.get("status", {}).get("conditions", ()):
        if one["type"] == "Ready":
            return one["status"], one.get("message") or one.get("reason") or "it is starting"
    return "Unknown", "it is starting"


def moved(cluster: Cluster, name: str,
          move: Callable[[Service, Rollout], Patch | None]) -> Rollout:
    """Return the rollout after a move; one that is done already changes nothing.

    Raises:
        Failure: there is no rollout, or this move is not possible in its phase.
    """
    def patch(service: Service) -> Patch | None:
        return move(service, present(service))
    return _changed(cluster, name, patch)


def settled(cluster: Cluster, name: str) -> Service:
    """Return the Service once its routes are as it says, or as it is after `SETTLE_S`."""
    until = time.monotonic() + SETTLE_S
    while not _is_routed(service := cluster.service(name)) and time.monotonic() < until:
        time.sleep(POLL_S)
    return service


def _is_routed(service: Service) -> bool:
    status = service.get("status", {})
    routed = [c["status"] for c in status.get("conditions", ()) if c["type"] == "RoutesReady"]
    is_seen = status.get("observedGeneration") == service["metadata"].get("generation")
    return is_seen and "Unknown" not in routed


def present(service: Service) -> Rollout:
    """Return a Service's rollout.

    Raises:
        Failure: it has none.
    """
    rollout = Rollout.of(service)
    if rollout is None:
        name = service["metadata"]["name"]
        raise Failure(Exit.USAGE, f"{name} has no rollout", where=name,
                      do=f"tollgate rollout start {name} --image …")
    return rollout


def rolled_back(cluster: Cluster, name: str, to: str | None) -> Rollout:
    """Give all traffic to a revision at once: the named one, or the one before.

    Raises:
        Failure: there is no other revision.
    """
    def patch(service: Service) -> Patch | None:
        now = Rollout.of(service)
        if to is None and now is not None and not _is_past(service, now):
            return moves.reverted(service, now, "rolled back by hand")
        revision = _previous(cluster, service) if to is None else _existing(cluster, to)
        return moves.forced(service, revision, time.time())
    return _changed(cluster, name, patch)


def _is_past(service: Service, rollout: Rollout) -> bool:
    """Tell whether another revision followed the one that was promoted."""
    return (rollout.phase is Phase.PROMOTED
            and traffic.shares(service) != {rollout.candidate: 100})


def _previous(cluster: Cluster, service: Service) -> str:
    name, serving = service["metadata"]["name"], traffic.serving(service)
    known = cluster.revisions(name)
    older = known[:known.index(serving)] if serving in known else []
    if not older:
        raise Failure(Exit.USAGE, f"{serving} is the oldest revision of {name}: there is nothing "
                      "to go back to", where=name, do="--to names a revision")
    return older[-1]


def _existing(cluster: Cluster, revision: str) -> str:
    return str(cluster.revision(revision)["metadata"]["name"])


def _changed(cluster: Cluster, name: str,
             make: Callable[[Service], Patch | None]) -> Rollout:
    """Patch the Service with what `make` makes of it, again when somebody was faster."""
    for _ in range(CONFLICTS_MAX):
        service = cluster.service(name)
        try:
            patch = make(service)
            return present(service if patch is None else cluster.patch(name, patch))
        except Busy:
            continue
        except Permanent as error:
            raise Failure(Exit.USAGE, error.detail, where=name) from error
    raise Failure(Exit.UNREACHABLE, f"{name} is changed by others all the time", where=name,
                  do="try again")
