"""A base image from Debian's packages, for machines that reach no registry of images.

Packages come from the host's own apt sources, unpacked and not installed: no shell, no package
manager, no setuid programs. apt resolves what Python needs, `WITHOUT` names what it needs only to
be installed.
"""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from eventing.images.builder import Builder
from eventing.images.command import call
from eventing.images.errors import CommandFailed

IMAGE = "dev.local/tollgate/python:local"
WANTED = ("python3", "ca-certificates", "libstdc++6", "tzdata", "netbase")
WITHOUT = frozenset({"debconf", "dpkg", "libdb5.3", "libmd0", "openssl", "perl-base",
                     "readline-common", "tar"})
"""Programs that install packages, and their libraries."""

DROPPED = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/lintian",
           "usr/share/bash-completion", "usr/share/info", "usr/share/zoneinfo/right",
           "usr/lib/valgrind")
MERGED = ("bin", "sbin", "lib", "lib64")
"""Folders that Debian keeps under /usr, with links from the root."""

USER = "nonroot:x:65532:65532::/nonexistent:/usr/sbin/nologin\n"


def make_base(builder: Builder, folder: Path, *, image: str = IMAGE,
              wanted: Sequence[str] = WANTED) -> str:
    """Build an image of the wanted packages in a folder that is made anew; return its name.

    Raises:
        CommandFailed: apt or the builder fails, or this is no Debian.
    """
    shutil.rmtree(folder, ignore_errors=True)
    root, fetched = folder / "root", folder / "packages"
    fetched.mkdir(parents=True)
    _lay_out(root)
    for package in _fetch(fetched, wanted):
        call("dpkg-deb", "--extract", package, root)
    for name in DROPPED:
        shutil.rmtree(root / name, ignore_errors=True)
    _configure(root)
    (file := folder / "Dockerfile").write_text('FROM scratch\nCOPY root/ /\nCMD ["python3"]\n')
    builder.build(folder, image, file=file, args={})
    return image


def _fetch(folder: Path, wanted: Sequence[str]) -> list[Path]:
    if not all(map(shutil.which, ("apt-get", "dpkg-deb"))):
        raise CommandFailed("a base image is made from Debian's packages: apt-get is not here. "
                          "Give an image with Python as BASE=…")
    names = sorted(set(_resolved(wanted)) - WITHOUT)
    call("apt-get", "download", "--quiet", *names, cwd=folder)
    return sorted(folder.glob("*.deb"))


def _resolved(wanted: Sequence[str]) -> Iterator[str]:
    """Yield the packages that apt would install on a system that has none."""
    plan = call("apt-get", "--simulate", "-o", "Dir::State::Status=/dev/null",
                "--no-install-recommends", "install", *wanted)
    for line in plan.splitlines():
        if line.startswith("Inst "):
            yield line.split()[1]


def _lay_out(root: Path) -> None:
    for name in MERGED:
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    for name in ("tmp", "proc", "sys", "dev", "run", "etc/ssl/certs", "var"):
        (root / name).mkdir(parents=True)
    (root / "tmp").chmod(0o1777)


def _configure(root: Path) -> None:
    """Write what the packages' own scripts would: accounts, name look-up, trusted authorities."""
    etc = root / "etc"
    (etc / "passwd").write_text("root:x:0:0:root:/root:/usr/sbin/nologin\n" + USER)
    (etc / "group").write_text("root:x:0:\nnonroot:x:65532:\n")
    (etc / "nsswitch.conf").write_text("hosts: files dns\n")
    authorities = sorted((root / "usr/share/ca-certificates").rglob("*.crt"))
    (etc / "ssl/certs/ca-certificates.crt").write_text(
        "".join(file.read_text() for file in authorities))
