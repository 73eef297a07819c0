"""Puts every check to an environment."""

from collections.abc import Mapping

from eventing.environments.kubectl import Unanswered
from eventing.readiness import guarding, live, running, watching
from eventing.readiness.finding import Area, Check, Finding, Verdict
from eventing.readiness.subject import Subject

BY_FILES = (*watching.CHECKS, *running.CHECKS, *guarding.CHECKS)


def judged(subject: Subject, env: Mapping[str, str] | None = None,
           namespace: str = live.NAMESPACE) -> list[Finding]:
    """Return every finding, by area; with `env`, also of the cluster that it leads to."""
    found = [Finding(c.name, c.area, c.ask(subject)) for c in BY_FILES]
    if env is not None:
        cluster = live.Cluster(subject, env, namespace)
        found += [Finding(c.name, c.area, _asked(c, cluster)) for c in live.CHECKS]
    order = list(Area)
    return sorted(found, key=lambda f: order.index(f.area))


def _asked(check: Check[live.Cluster], cluster: live.Cluster) -> Verdict:
    """Return the answer; a silent cluster is no evidence."""
    try:
        return check.ask(cluster)
    except Unanswered as silence:
        return Verdict(False, "", f"the cluster does not answer: {silence}")
