"""Puts back what others changed: `python -m eventing.environments.repair STACK-FOLDER`.

Terraform cannot: its provider finds out what it applied by an annotation of the object. A field
that was changed by hand is none of its differences, and an object without the annotation (removed,
for example, by `kubectl apply --server-side`) makes each of its commands fail.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from eventing.environments import kubectl
from eventing.environments.manifests import Manifest, named, wanted

REMEMBERED = "kubectl.kubernetes.io/last-applied-configuration"
ROLLOUT = "tollgate.dev/rollout"
"""A Service that has it is moved by a rollout, which knows better."""


def repair(root: Path, env: Mapping[str, str]) -> list[str]:
    """Make what is there as the stack's configuration says; return a line for each object.

    Updated in place, so that Triggers keep their position. Twice does no more than once.

    Raises:
        Unanswered: kubectl or the cluster failed; the text says how.
    """
    return [line for text in wanted(root, env) if (line := _put_back(text, env))]


def _put_back(text: str, env: Mapping[str, str]) -> str:
    manifest = json.loads(text)
    where = _address(manifest)
    live = kubectl.done(("get", *where, "-o", "json", "--ignore-not-found"), env)
    if not live:
        return ""  # Terraform sees that, and makes it
    before = json.loads(live)
    if ROLLOUT in before["metadata"].get("annotations", {}):
        return f"{named(manifest)}: left to its rollout"
    args = ("patch", *where, "-o", "json", "--type=merge", "--patch-file=/dev/stdin")
    answer = kubectl.run(args, env, _with_memory(manifest, text))
    if answer.code != 0:
        raise kubectl.Unanswered(f"{named(manifest)}: {answer.errors}")
    is_same = _meant(json.loads(answer.out)) == _meant(before)
    return "" if is_same else f"{named(manifest)}: put back"


def _meant(live: Manifest) -> Manifest:
    """Return an object without what the cluster itself writes all the time."""
    metadata = {name: live["metadata"].get(name) for name in ("annotations", "labels")}
    return {**live, "metadata": metadata, "status": None}


def _with_memory(manifest: Manifest, text: str) -> str:
    """Return the object as a merge patch that also says what was applied."""
    metadata = manifest["metadata"]
    annotations = {**metadata.get("annotations", {}), REMEMBERED: text}
    return json.dumps({**manifest, "metadata": {**metadata, "annotations": annotations}})


def _address(manifest: Manifest) -> tuple[str, ...]:
    """Return type, name and namespace as kubectl takes them."""
    group, _, version = manifest["apiVersion"].rpartition("/")
    kind = f"{manifest['kind']}.{version}.{group}" if group else manifest["kind"]
    namespace = manifest["metadata"].get("namespace")
    name = (kind, manifest["metadata"]["name"])
    return (*name, "--namespace", namespace) if namespace else name


def main(args: list[str]) -> int:
    """Print what was put back and return the exit code."""
    if len(args) != 1 or not Path(args[0]).is_dir():
        sys.stderr.write("use: python -m eventing.environments.repair "
                         "terraform/environments/NAME/STACK\n")
        return 2
    try:
        lines = repair(Path(args[0]), os.environ)
    except kubectl.Unanswered as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    sys.stdout.write("\n".join(lines or ["nothing differs"]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
