"""Makes images: stage, build, pack, and say how large each became."""

import hashlib
import os
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from eventing.images.archive import Archive, read_archive
from eventing.images.base import IMAGE as LOCAL_BASE
from eventing.images.builder import Builder
from eventing.images.closure import ROOT, functions
from eventing.images.revision import revision_of, source_url
from eventing.images.staging import FOLDER, describe, stage

DOCKERFILE = ROOT / "functions" / "Dockerfile"
REPOSITORY = "dev.local/tollgate"
"""The name that manifests have; Knative resolves no tags below `dev.local`."""


def make_image(builder: Builder, function: str, tag: str, *, out: Path | None = None) -> Archive:
    """Build a function's image and pack it into a docker-archive file.

    Raises:
        ImageFault: the function is unknown, a package cannot be had, or the build fails.
    """
    archive = out or FOLDER / f"{function}-{tag}.tar"
    archive.parent.mkdir(parents=True, exist_ok=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    name = f"{REPOSITORY}/{function}:{tag}"
    with TemporaryDirectory(dir=FOLDER, prefix=f".{function}-") as folder:
        context = stage(function, Path(folder) / "context")
        arguments = _base(builder) | _facts(function, context)
        builder.build(context, name, file=DOCKERFILE, args=arguments)
    builder.save(name, archive)
    return read_archive(archive)


def _base(builder: Builder) -> dict[str, str]:
    """Return the base: the one asked for, else the one made here, else the Dockerfile's own."""
    asked = os.environ.get("BASE")
    if asked:
        return {"BASE": asked}
    return {"BASE": LOCAL_BASE} if builder.holds(LOCAL_BASE) else {}


def _facts(function: str, context: Path) -> dict[str, str]:
    revision, created = revision_of(function)
    return {"function": function, "main": str(functions()[function]),
            "description": describe(function), "version": version("tollgate"),
            "revision": revision, "source": source_url(), "created": created,
            "sbom": hashlib.sha256((context / "sbom.cdx.json").read_bytes()).hexdigest()}


def size_line(image: Archive) -> str:
    """Return one line: name, size, what of it no other image shares, file."""
    own = sum(size for _, size in image.layers[-2:])
    return (f"{image.name:<40} {mib(image.size_bytes)}, {mib(own)} its own"
            f"  {os.path.relpath(image.path)}")


def sum_line(images: list[Archive]) -> str:
    """Return one line: how much all images take, with shared layers counted once."""
    apart = {digest: size for image in images for digest, size in image.layers}
    return f"{len(images)} images: {mib(sum(apart.values()))} with shared layers counted once"


def mib(size_bytes: int) -> str:
    """Return bytes as MiB in text of one width."""
    return f"{size_bytes / 2**20:6.1f} MiB"
