"""Where costs notes numbers of the ledger that came under two event ids, and the ledger looks.

Both share a Redis, so costs needs no credential at the ledger to have an epoch ended (ADR 0036).
"""

from typing import Any

from shared.store import Redis, mapped


def conflicts(tenant: str) -> str:
    """Return the key of the latest conflicts: `<epoch> <number> <second event id>` each."""
    return f"co:{{{tenant}}}:conflicts"


async def doubted_epochs(redis: Redis, tenant: str) -> frozenset[str]:
    """Return the epochs of a tenant in which some number was given twice.

    Raises:
        Unavailable: Redis is away.
    """
    client: Any = redis
    with mapped():
        found = await client.lrange(conflicts(tenant), 0, -1)
    return frozenset(each.partition(" ")[0] for each in found)
