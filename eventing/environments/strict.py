"""Finds what is wrong with manifests before Terraform applies them.

The provider that applies them drops a misspelt field in silence: a Trigger with `exactt:` matches
every event. The API server, asked to be strict, names it; its webhooks refuse what Knative would.
"""

import re
from collections.abc import Mapping, Sequence

from eventing.environments import kubectl
from eventing.environments.manifests import Manifest, named

DRY_RUN = ("apply", "--dry-run=server", "--validate=strict", "-f", "-")
ABSENT = re.compile(r'namespaces "[^"]+" not found')
"""Strict decoding and the webhooks came before this: the rest is well."""
AWAY = re.compile(r"connection refused|no such host|i/o timeout|no route to host|handshake timeout"
                  r"|x509: |Unauthorized|must be logged in|getting credentials", re.IGNORECASE)
"""No manifest is at fault: the cluster was not reached, or did not listen."""
WITHOUT_MEANING = re.compile(
    r'^(Error from server \(\w+\): )?(error when \w+ "[^"]*": )?(error: )?'
    r'(error validating "[^"]*": error validating data: )?'
    r'|; if you choose to ignore these errors.*'
    r'|Invalid value: "(?:[^"\\]|\\.)*": |unable to recognize ', re.MULTILINE)
"""Around what is wrong: whose words, a file that is none, and the whole object once more."""


def faults(manifests: Sequence[Manifest], env: Mapping[str, str]) -> list[str]:
    """Return what the API server would refuse or drop of these objects, one line each.

    Kinds that they define themselves are not checked. Nothing is changed.

    Raises:
        Unanswered: there is no kubectl, or the cluster does not answer.
    """
    checked = [x for x in manifests if _identity(x) not in _defined(manifests)]
    if not checked or _tried(checked, env).code == 0:
        return []
    # It does not say which object it means; asked for one at a time, it does not need to.
    found = [(named(x), _fault(x, env)) for x in checked]
    return [f"{name}: {text}" for name, text in found if text]


def _fault(manifest: Manifest, env: Mapping[str, str]) -> str:
    answer = _tried([manifest], env)
    return "" if answer.code == 0 or ABSENT.search(answer.err) else _meant(answer)


def _tried(manifests: Sequence[Manifest], env: Mapping[str, str]) -> kubectl.Answer:
    answer = kubectl.run(DRY_RUN, env, kubectl.listed(manifests))
    if answer.code and AWAY.search(answer.err):
        raise kubectl.Unanswered(_meant(answer))
    return answer


def _meant(answer: kubectl.Answer) -> str:
    return " ".join(WITHOUT_MEANING.sub("", answer.errors).split())


def _defined(manifests: Sequence[Manifest]) -> frozenset[tuple[str, str]]:
    """Return group and kind of what the definitions among the objects define."""
    specs = [x["spec"] for x in manifests if x.get("kind") == "CustomResourceDefinition"]
    return frozenset((spec["group"], spec["names"]["kind"]) for spec in specs)


def _identity(manifest: Manifest) -> tuple[str, str]:
    return manifest.get("apiVersion", "").rpartition("/")[0], manifest.get("kind", "")
