"""Writes the goldens anew: `make goldens`."""

import sys

from eventing.local.manifests.kustomize import objects
from tests.goldens import FOLDER, NAMES, OVERLAYS, normalised

for name in NAMES:
    file = FOLDER / f"{name}.yaml"
    text = normalised(objects(OVERLAYS / name))
    changed = not file.exists() or file.read_text() != text
    file.write_text(text)
    sys.stdout.write(f"{file.name}: {'changed' if changed else 'as it was'}\n")
