"""A process that archives a tenant's events and is killed on its way: `archiver <point> …`."""

import asyncio
import os
import signal
import sys

from functions.costs.archive import archive
from functions.costs.archive.archive import Archive, move_due
from functions.costs.archive.objects import Bucket
from functions.costs.store.store import CostStore
from shared.store import connect

POINTS = ("before put", "after put", "after get", "before script", "after script")


def dying(point, name, call):
    """Return the call, with a death before or after it."""
    async def called(*given):
        if point == f"before {name}":
            os.kill(os.getpid(), signal.SIGKILL)
        found = await call(*given)
        if point == f"after {name}":
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    return called


async def main(point, redis_url, endpoint, bucket_name, tenant):
    redis, bucket = connect(redis_url), Bucket(bucket_name, endpoint)
    bucket.put, bucket.get = (dying(point, name, getattr(bucket, name)) for name in ("put", "get"))
    archive._ARCHIVE = dying(point, "script", archive._ARCHIVE)
    store = CostStore(redis, archive=Archive(redis, bucket))
    await move_due(store.archive, store, tenant, await store.days(tenant))
    await redis.aclose()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
