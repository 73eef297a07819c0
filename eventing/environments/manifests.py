"""Reads from Terraform which Kubernetes objects a stack applies, or has applied."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Manifest = dict[str, Any]

KIND = "kustomization_resource"
CHANGES = frozenset({"create", "update"})


def wanted(root: Path, env: Mapping[str, str]) -> list[str]:
    """Return what is there and shall stay, each as the text that the provider remembers it by."""
    changes = _plan(root, env).get("resource_changes", ())
    kept = (x["change"] for x in changes if x["type"] == KIND and x["change"]["before"])
    return [change["after"]["manifest"] for change in kept if change["after"]]


def of_plan(plan: Mapping[str, Any]) -> Iterator[Manifest]:
    """Return what a plan creates or updates, from the JSON of `terraform show -json <plan>`."""
    for resource in plan.get("resource_changes", ()):
        change = resource["change"]
        if (resource["type"] == KIND and CHANGES & {*change["actions"]}
                and (text := (change["after"] or {}).get("manifest"))):
            yield json.loads(text)


def of_state(state: Mapping[str, Any]) -> Iterator[Manifest]:
    """Return the objects in a state file."""
    own = (x for x in state.get("resources", ()) if x["type"] == KIND and x["mode"] == "managed")
    for instance in (instance for resource in own for instance in resource["instances"]):
        if text := instance["attributes"]["manifest"]:  # empty: see repair.py
            yield json.loads(text)


def named(manifest: Manifest) -> str:
    """Return how people call an object: `Service tollgate/gateway`."""
    meta = manifest.get("metadata", {})
    place = f"{meta['namespace']}/" if meta.get("namespace") else ""
    return f"{manifest.get('kind')} {place}{meta.get('name')}"


def _plan(root: Path, env: Mapping[str, str]) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "plan")
        # Against the state alone: what others hold now does not change what is applied.
        if _terraform(root, env, "plan", "-input=false", "-refresh=false", "-lock=false",
                      f"-out={file}") is None:
            return {}
        return json.loads(_terraform(root, env, "show", "-json", file) or "{}")


def _terraform(root: Path, env: Mapping[str, str], *args: str) -> str | None:
    """Return what Terraform prints, or None when it fails."""
    done = subprocess.run(  # noqa: S603 - the program's name is fixed
        ["terraform", f"-chdir={root}", *args],  # noqa: S607 - the operator's own
        env={**os.environ, **env}, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else None
