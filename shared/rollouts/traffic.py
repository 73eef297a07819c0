"""Reads and makes the traffic of a Knative Service, without I/O.

Every revision that may get a request has a tag made of its own name, so that a task's revision is
enough to know where it is reached: `http://<tag>-<service>.<namespace>.svc.cluster.local`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from shared.errors import Permanent
from shared.limits import REVISION_CHARS_MAX

Target = dict[str, Any]
Service = Mapping[str, Any]
"""A Knative Service as the API server says it."""


def tag_of(service: str, revision: str) -> str:
    """Return the tag of a revision: `r` and what its name adds to the Service's.

    A name that does not begin with the Service's, or gives too long a host name, is hashed.
    """
    tag = "r" + revision.removeprefix(f"{service}-")
    if revision.startswith(f"{service}-") and len(f"{tag}-{service}") <= REVISION_CHARS_MAX:
        return tag
    return "r" + hashlib.sha256(revision.encode()).hexdigest()[:8]


def shares(service: Service) -> dict[str, int]:
    """Return the percentages that the Service's revisions get now, none left out that gets any."""
    found: dict[str, int] = {}
    for target in service.get("status", {}).get("traffic") or ():
        name, percent = target.get("revisionName", ""), target.get("percent") or 0
        if percent:
            found[name] = found.get(name, 0) + percent
    return found


def serving(service: Service) -> str:
    """Return the one revision that gets all requests.

    Raises:
        Permanent: none does, or several share them.
    """
    found, name = shares(service), service["metadata"]["name"]
    if not found:
        raise Permanent(f"{name} serves no revision: see what is wrong with "
                        f"kubectl describe ksvc {name}")
    if len(found) > 1:
        split = ", ".join(f"{r} {p} %" for r, p in found.items())
        raise Permanent(f"the traffic of {name} is split: {split}; say which one is stable")
    return next(iter(found))


def whole(service: str, revision: str, *others: str) -> list[Target]:
    """Return traffic that gives all to one revision; the others stay reachable by their tags."""
    return [_target(service, revision, 100), *(_target(service, r, 0) for r in others)]


def divided(service: str, stable: str, candidate: str, percent: int) -> list[Target]:
    """Return traffic that gives the candidate its share."""
    return [_target(service, stable, 100 - percent), _target(service, candidate, percent)]


def following(service: str, revisions: Sequence[str]) -> list[Target]:
    """Return traffic that goes to whatever revision is the latest; tags keep the named ones.

    The latest gets no tag here: a tag would move on to the next revision.
    """
    return [{"latestRevision": True, "percent": 100},
            *(_target(service, revision, 0) for revision in revisions)]


def _target(service: str, revision: str, percent: int) -> Target:
    return {"revisionName": revision, "percent": percent, "latestRevision": False,
            "tag": tag_of(service, revision)}
