"""Finds what is wrong with manifests before Terraform applies them.

The provider that applies them drops a misspelt field in silence: a Trigger with `exactt:` matches
every event. The API server, asked to be strict, names it; its webhooks refuse what Knative would.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from eventing.environments import kubectl
from eventing.environments.manifests import Manifest, named, planned

DRY_RUN = ("apply", "--dry-run=server", "--validate=strict", "-f", "-")
ABSENT = re.compile(r'namespaces "[^"]+" not found')
"""Strict decoding and the webhooks came before this: the rest is well."""
WITHOUT_MEANING = re.compile(
    r'^(Error from server \(\w+\): )?(error when \w+ "[^"]*": )?(error: )?'
    r'|Invalid value: "(?:[^"\\]|\\.)*": |unable to recognize ', re.MULTILINE)
"""Around what is wrong: whose words, a file that is none, and the whole object once more."""


def faults(root: Path, env: Mapping[str, str]) -> list[str]:
    """Return what the API server would refuse or drop of a stack's next apply, one line each.

    A stack without Kubernetes objects has none. Nothing is changed.
    """
    if root.name == "platform":
        return []
    return of_manifests(planned(root, env), env)


def of_manifests(manifests: Sequence[Manifest], env: Mapping[str, str]) -> list[str]:
    """Return the faults of these objects; kinds that they define themselves are not checked."""
    checked = [x for x in manifests if _identity(x) not in _defined(manifests)]
    try:
        if not checked or kubectl.run(DRY_RUN, env, kubectl.listed(checked)).code == 0:
            return []
        # It does not say which object it means; asked for one at a time, it does not need to.
        found = [(named(x), _fault(x, env)) for x in checked]
    except kubectl.Unanswered as error:
        return [str(error)]
    return [f"{name}: {text}" for name, text in found if text]


def _fault(manifest: Manifest, env: Mapping[str, str]) -> str:
    answer = kubectl.run(DRY_RUN, env, kubectl.listed([manifest]))
    if answer.code == 0 or ABSENT.search(answer.err):
        return ""
    return " ".join(WITHOUT_MEANING.sub("", answer.errors).split())


def _defined(manifests: Sequence[Manifest]) -> frozenset[tuple[str, str]]:
    """Return group and kind of what the definitions among the objects define."""
    specs = [x["spec"] for x in manifests if x.get("kind") == "CustomResourceDefinition"]
    return frozenset((spec["group"], spec["names"]["kind"]) for spec in specs)


def _identity(manifest: Manifest) -> tuple[str, str]:
    return manifest.get("apiVersion", "").rpartition("/")[0], manifest.get("kind", "")
