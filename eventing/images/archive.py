"""Reads what a docker-archive file holds: layers and labels of one image."""

import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Archive:
    """One packed image."""

    path: Path
    name: str
    layers: tuple[tuple[str, int], ...]
    """Digest and bytes of each layer, unpacked, base first."""

    config: dict[str, Any]
    """What the image says of itself: user, entry point, environment, labels."""

    @property
    def size_bytes(self) -> int:
        """Bytes of all layers, unpacked; layers that images share count in each."""
        return sum(size for _, size in self.layers)


def read_archive(path: Path) -> Archive:
    """Return what a docker-archive file with one image holds."""
    with tarfile.open(path) as tar:
        (manifest,) = _json(tar, "manifest.json")
        image = _json(tar, manifest["Config"])
        sizes = [tar.getmember(name).size for name in manifest["Layers"]]
    layers = zip(image["rootfs"]["diff_ids"], sizes, strict=True)
    return Archive(path, manifest["RepoTags"][0], tuple(layers), image["config"])


def _json(tar: tarfile.TarFile, name: str) -> Any:
    member = tar.extractfile(name)
    if member is None:
        raise ValueError(f"{name} of the image is no file")
    return json.load(member)
