"""Makes the patches that move a rollout, without I/O: state and traffic change in one request.

A patch names the resource version that it was made from: if somebody was faster, the API server
answers 409 and nothing has happened. A move that is done already is `None`.
"""

from collections.abc import Mapping
from typing import Any

from shared.errors import Permanent
from shared.rollouts import traffic
from shared.rollouts.plan import ANNOTATION, Phase, Rollout
from shared.rollouts.traffic import Service, Target

Patch = dict[str, Any]
"""A JSON merge patch (RFC 7386) of a Knative Service."""


def pinned(service: Service, rollout: Rollout, image: str | None = None) -> Patch:
    """Return the patch that begins: all traffic stays where it is, then the image may change."""
    name = _name(service)
    patch = written(service, rollout, traffic.whole(name, rollout.stable))
    if image is not None:
        patch["spec"]["template"] = _with_image(service["spec"]["template"], image)
    return patch


def _with_image(template: Mapping[str, Any], image: str) -> Patch:
    """Return the change of a template; a list is replaced as a whole, so it is repeated."""
    first, *rest = template["spec"]["containers"]
    # A revision's own name would be taken already: Knative makes the next one.
    return {"metadata": {"name": None},
            "spec": {"containers": [{**first, "image": image}, *rest]}}


def split(service: Service, rollout: Rollout, now: float) -> Patch:
    """Return the patch that gives the candidate its share and starts the clock."""
    running = rollout.but(phase=Phase.RUNNING, started_at=now)
    return written(service, running, traffic.divided(
        _name(service), rollout.stable, rollout.candidate, rollout.percent))


def promoted(service: Service, rollout: Rollout, reason: str) -> Patch | None:
    """Return the patch that gives the candidate everything; the stable one stays reachable.

    Traffic follows the latest revision again if that is the candidate, so that the next
    deployment needs no command.

    Raises:
        Permanent: it was aborted or reverted, or its candidate is not ready.
    """
    if rollout.phase is Phase.PROMOTED:
        return None
    if rollout.phase is not Phase.RUNNING:
        raise Permanent(f"rollout {rollout.id} of {_name(service)} is {rollout.phase}: only a "
                        "running one can be promoted; start another")
    name, kept = _name(service), (rollout.candidate, rollout.stable)
    status = service.get("status", {})
    is_latest = {status.get("latestCreatedRevisionName"),
                 status.get("latestReadyRevisionName")} == {rollout.candidate}
    targets = traffic.following(name, kept) if is_latest else traffic.whole(name, *kept)
    return written(service, rollout.but(phase=Phase.PROMOTED, reason=reason), targets)


def aborted(service: Service, rollout: Rollout, reason: str) -> Patch | None:
    """Return the patch that gives the stable revision everything; the candidate's tag goes.

    Without its tag the candidate gets no task back that it began: the stable one takes them over.

    Raises:
        Permanent: it was promoted: that is rolled back, not aborted.
    """
    if rollout.phase in (Phase.ABORTED, Phase.REVERTED):
        return None
    if rollout.phase is Phase.PROMOTED:
        raise Permanent(f"rollout {rollout.id} of {_name(service)} is promoted: go back with "
                        f"tollgate rollout rollback {_name(service)}")
    return _back(service, rollout.but(phase=Phase.ABORTED, reason=reason))


def reverted(service: Service, rollout: Rollout, reason: str) -> Patch | None:
    """Return the patch that takes a rollout back, whatever its phase."""
    if rollout.phase.active:
        return aborted(service, rollout, reason)
    if rollout.phase is not Phase.PROMOTED:
        return None
    return _back(service, rollout.but(phase=Phase.REVERTED, reason=reason))


def forced(service: Service, revision: str, now: float) -> Patch | None:
    """Return the patch that goes to any revision, with or without a rollout before it."""
    before, held = Rollout.of(dict(service)), traffic.shares(service)
    if held == {revision: 100} and before is not None and not before.phase.active:
        return None
    largest = max(held, key=lambda name: held[name], default="")
    return _back(service, Rollout(
        id=f"back-{round(now)}", phase=Phase.REVERTED, stable=revision, percent=0,
        candidate=largest if largest != revision else "", created_at=round(now, 3),
        reason="rolled back by hand"))


def _back(service: Service, rollout: Rollout) -> Patch:
    return written(service, rollout, traffic.whole(_name(service), rollout.stable))


def written(service: Service, rollout: Rollout, targets: list[Target] | None = None) -> Patch:
    """Return the patch that writes the rollout down, and the traffic if it is given."""
    metadata = {"resourceVersion": service["metadata"]["resourceVersion"],
                "annotations": {ANNOTATION: rollout.document()}}
    return {"metadata": metadata} | ({} if targets is None else {"spec": {"traffic": targets}})


def _name(service: Service) -> str:
    return str(service["metadata"]["name"])
