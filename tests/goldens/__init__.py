"""What overlays render to, normalised: a change of a component shows in every environment."""

import hashlib
import json
from functools import cache
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
OVERLAYS = ROOT / "knative" / "overlays"
FOLDER = Path(__file__).parent / "overlays"
NAMES = sorted(file.parent.name for file in OVERLAYS.glob("*/kustomization.yaml"))
TEXT_MAX = 2000
"""A longer text has a golden of its own elsewhere; here it is its digest."""


def normalised(documents):
    """Return documents as YAML: sorted, long texts as digests; equal for all kustomizes."""
    order = sorted(documents, key=lambda d: (d["kind"], d["metadata"]["name"]))
    return yaml.safe_dump_all([shortened(d) for d in order], width=100, allow_unicode=True)


def shortened(value):
    if isinstance(value, dict):
        return {key: shortened(part) for key, part in value.items()}
    if isinstance(value, list):
        return [shortened(part) for part in value]
    if isinstance(value, str) and len(value) > TEXT_MAX:
        return f"sha256:{hashlib.sha256(value.encode()).hexdigest()}"
    return value


def golden(name):
    """Return an overlay's objects as its golden has them; a copy, to be changed at will."""
    return json.loads(_golden(name))


@cache
def _golden(name):
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = (FOLDER / f"{name}.yaml").read_text()
    return json.dumps(list(yaml.load_all(text, Loader=loader)))
