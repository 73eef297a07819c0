"""The Redis keys of the ledger; all of a tenant's keys share its hash tag.

| pattern | type | TTL | written by |
|---|---|---|---|
| `lg:{tenant}:lim` | hash `version zone prices caps` and limits → JSON | none | budget |
| `lg:{tenant}:wake` | version of the limits that paused tasks are to be told of | none: until \
they are | budget, switch |
| `lg:{tenant}:a:<scope>|<id>|<window>` | hash `<unit>.res .pst .ovr .lim .in .out`, `blk`, \
counters | none, from first use by window, or 14 d from last use | reserve, finish, post, adjust, \
credit |
| `lg:{tenant}:r:<reservation>` | hash, the reservation | 14 d after its end | reserve, finish, … |
| `lg:{tenant}:exp` | zset reservation → end of lease, ms | none: empties itself | reserve, finish |
| `lg:{tenant}:seq` | hash `epoch n`, events and reservations by state | none | every script |
| `lg:{tenant}:out` | stream `<epoch>-<n>`, group `drain` | trimmed at 14 d | every script |
| `lg:{~}:caps` | hash cap → JSON | none | budget |
| `lg:{~}:pool:<cap>|<window>|<unit>` | hash `used in.<tenant> out.<tenant>` | by window | draw |
| `lg:{~}:stops` | hash `<kind>|<name>` → JSON | none | switch |
| `lg:{~}:stops:out` | list of stop events to publish | none: empties itself | switch |
| `lg:tenants` | set, hint of tenants with work | none | before a tenant's first write |
"""

TENANTS = "lg:tenants"
CAPS = "lg:{~}:caps"
STOPS = "lg:{~}:stops"
STOPS_OUT = "lg:{~}:stops:out"
DRAIN_GROUP = "drain"


def limits(tenant: str) -> str:
    """Return the key of a tenant's limits."""
    return f"lg:{{{tenant}}}:lim"


def wake(tenant: str) -> str:
    """Return the key of the version of limits that a tenant's paused tasks are to be told of."""
    return f"lg:{{{tenant}}}:wake"


def account(tenant: str, name: str) -> str:
    """Return the key of an account named `scope|id|window`."""
    return f"lg:{{{tenant}}}:a:{name}"


def reservation(tenant: str, reservation_id: str) -> str:
    """Return the key of a reservation's row."""
    return f"lg:{{{tenant}}}:r:{reservation_id}"


def leases(tenant: str) -> str:
    """Return the key of the open reservations by the end of their lease."""
    return f"lg:{{{tenant}}}:exp"


def sequence(tenant: str) -> str:
    """Return the key of the events' numbers and the counts of reservations."""
    return f"lg:{{{tenant}}}:seq"


def outbox(tenant: str) -> str:
    """Return the key of the stream of events, whose ids are `<epoch>-<number>`."""
    return f"lg:{{{tenant}}}:out"


def pool(cap: str, label: str, unit: str) -> str:
    """Return the key of what tenants took of a cap in a window; `~` is no tenant's name."""
    return f"lg:{{~}}:pool:{cap}|{label}|{unit}"
