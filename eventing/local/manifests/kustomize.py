"""Renders an overlay with the tool that the cluster's is rendered with: kubectl's kustomize."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

from shared.errors import Permanent

FILE = "kustomization.yaml"
PLAIN = frozenset({"apiVersion", "kind", "resources"})
"""What a kustomization may hold that only lists files: those are read as they are, with lines."""

TOOLS = (("kubectl", "kustomize"), ("kustomize", "build"))
RENDER_MAX_S = 60
"""Kustomize takes tenths of a second; what it would fetch from elsewhere has no place here."""


class NotRendered(Permanent):
    """An overlay cannot be rendered."""

    title = "Overlay not rendered"


def is_plain(folder: Path) -> bool:
    """Tell whether a folder needs no rendering: its kustomization, if any, lists what is in it."""
    file = folder / FILE
    if not file.exists():
        return True
    try:
        found = yaml.safe_load(file.read_text())
    except yaml.YAMLError:
        return False  # whoever renders it says where
    listed = found.get("resources") or [] if isinstance(found, dict) else [".."]
    return set(found) <= PLAIN and all(_is_plain_resource(folder, name) for name in listed)


def _is_plain_resource(folder: Path, name: Any) -> bool:
    path = (folder / str(name)).resolve()
    return path.is_relative_to(folder.resolve()) and (not path.is_dir() or is_plain(path))


def rendered(folder: Path) -> str:
    """Return the objects of a kustomization as YAML documents.

    Raises:
        NotRendered: no tool is installed, or it refuses the kustomization.
    """
    command = next((tool for tool in TOOLS if shutil.which(tool[0])), None)
    if command is None:
        raise NotRendered(f"{folder}: an overlay needs kubectl (1.27 or later) or kustomize in "
                          "PATH, and neither is there; install one, or use knative/base")
    # Nothing of a cluster: rendering reads files only.
    env = {name: value for name, value in os.environ.items() if name != "KUBECONFIG"}
    try:
        done = subprocess.run(  # noqa: S603 - one of TOOLS
            [*command, str(folder)], capture_output=True, text=True, env=env,
            timeout=RENDER_MAX_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise NotRendered(f"{folder}: {' '.join(command)} took over {RENDER_MAX_S} s") from error
    if done.returncode != 0:
        raise NotRendered(f"{folder}: {' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def objects(folder: Path) -> list[dict[str, Any]]:
    """Return a kustomization's objects in the order of rendering.

    Raises:
        NotRendered: see `rendered`.
    """
    documents = yaml.load_all(rendered(folder), Loader=_LOADER)
    return [document for document in documents if document is not None]


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
