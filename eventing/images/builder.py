"""Docker, Podman or Buildah: whichever is there builds an image and packs it into a file."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from eventing.images.command import call, succeeds
from eventing.images.errors import NoBuilder
from eventing.images.staging import EPOCH_S

BUILD = {
    "docker": ("buildx", "build", "--quiet", "--network=none", "--provenance=false",
               f"--build-arg=SOURCE_DATE_EPOCH={EPOCH_S}",
               "--output=type=docker,rewrite-timestamp=true"),
    "podman": ("build", "--quiet", "--network=none", "--layers", f"--timestamp={EPOCH_S}"),
    "buildah": ("bud", "--quiet", "--isolation=chroot", "--layers", f"--timestamp={EPOCH_S}"),
}
"""How each builds so that equal contexts give equal layers."""

PROBES: dict[str, tuple[tuple[str, ...], ...]] = {
    "docker": (("info",), ("buildx", "ls")), "podman": (("info",),), "buildah": (("info",),)}
"""What succeeds only where the program can build."""


@dataclass(frozen=True, slots=True)
class Builder:
    """One way to build; the program's name decides its arguments."""

    program: str

    def build(self, context: Path, image: str, *, file: Path, args: Mapping[str, str]) -> None:
        """Build an image of a context, reproducibly, without a network.

        Raises:
            CommandFailed: with the builder's last words.
        """
        given = [f"--build-arg={name}={value}" for name, value in args.items()]
        call(self.program, *BUILD[self.program], *given, f"--file={file}", f"--tag={image}",
             context)

    def save(self, image: str, archive: Path) -> None:
        """Write the image to a docker-archive file, replacing it as a whole.

        Raises:
            CommandFailed: with the builder's last words.
        """
        partial = archive.with_name(f".{archive.name}.partial")
        partial.unlink(missing_ok=True)
        if self.program == "buildah":
            call("buildah", "push", "--quiet", image, f"docker-archive:{partial}:{image}")
        else:
            call(self.program, "save", f"--output={partial}", image)
        partial.replace(archive)

    def push(self, image: str, reference: str) -> None:
        """Send an image to a registry under its full name; the credentials are the program's own.

        A registry on this machine is spoken to without TLS, as Docker does.

        Raises:
            CommandFailed: with the program's last words.
        """
        if self.program == "docker":
            call("docker", "tag", image, reference)
            call("docker", "push", "--quiet", reference)
            return
        loopback = reference.startswith(("127.", "localhost:"))
        plain = ("--tls-verify=false",) if loopback else ()
        call(self.program, "push", "--quiet", *plain, image, f"docker://{reference}")

    def holds(self, image: str) -> bool:
        """Tell whether the image is in the builder's own store."""
        if self.program == "docker":
            return succeeds("docker", "image", "inspect", image)
        return succeeds(self.program, "inspect", "--type=image", image)


def find_builder() -> Builder:
    """Return the first builder that works.

    Raises:
        NoBuilder: none does; says what was tried.
    """
    tried = []
    for program, probes in PROBES.items():
        if shutil.which(program) is None:
            tried.append(f"{program} is not installed")
        elif all(succeeds(program, *words) for words in probes):
            return Builder(program)
        else:
            tried.append(f"{program} is here but does not work: try `{program} info`")
    raise NoBuilder("Nothing on this machine builds images.\n  " + "\n  ".join(tried)
                    + "\nOn Debian: apt-get install buildah")
