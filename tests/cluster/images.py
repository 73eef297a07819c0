"""Images of the functions and of Redis, as archives that a cluster can load."""

import json
import tarfile
from io import BytesIO
from pathlib import Path

from eventing.images.builder import find_builder
from eventing.images.closure import functions
from eventing.images.making import REPOSITORY, make_image
from tests.cluster.redis_image import redis_archive

TAG = "local"
NEXT = "next"
ROLLED = ("researcher", "calculator", "ledger", "gateway")
"""An agent, a tool, the ledger and the door: their images change while tasks run."""


def built(folder):
    """Build everything; return the archives."""
    builder = find_builder()
    folder.mkdir(parents=True, exist_ok=True)
    archives = [make_image(builder, name, TAG, out=folder / f"{name}.tar").path
                for name in functions()]
    renamed = [retagged(folder / f"{name}.tar", f"{REPOSITORY}/{name}:{NEXT}") for name in ROLLED]
    return [*archives, *renamed, redis_archive(builder, folder)]


def retagged(archive, name):
    """Return a copy of a docker-archive file whose image has another name."""
    target = Path(archive).with_name(Path(archive).stem + f"-{NEXT}.tar")
    with tarfile.open(archive) as source, tarfile.open(target, "w") as copy:
        (manifest,) = json.load(source.extractfile("manifest.json"))
        manifest["RepoTags"] = [name]
        for member in source:
            if member.name == "manifest.json":
                _add(copy, member.name, json.dumps([manifest]).encode())
            elif member.isfile():
                copy.addfile(member, source.extractfile(member))
            else:
                copy.addfile(member)
    return target


def _add(tar, name, body):
    member = tarfile.TarInfo(name)
    member.size = len(body)
    tar.addfile(member, BytesIO(body))
