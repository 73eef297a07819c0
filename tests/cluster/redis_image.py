"""The in-cluster Redis for tests, from Debian's packages: no registry is asked."""

from eventing.images.base import make_base

IMAGE = "dev.local/tollgate/redis:local"
PACKAGES = ("redis-server", "redis-tools", "dash")
"""Server, the probes' client, and the shell that the probes are written for."""


def redis_archive(builder, folder):
    """Build the image and return its docker-archive file."""
    archive = folder / "redis.tar"
    builder.save(make_base(builder, folder / "redis", image=IMAGE, wanted=PACKAGES), archive)
    return archive
