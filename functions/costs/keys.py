"""The Redis keys of the cost store. All but the hint share a tenant's hash tag.

Financial history: nothing expires here. An event takes some 0.5 KiB in all (a test bounds it).

| pattern | type | growth | written by |
|---|---|---|---|
| `co:{tenant}:raw` | hash event id → packed event | per event, often 0.3 KiB | store |
| `co:{tenant}:seq:<epoch>:<chunk>` | bitmap of numbers seen | a bit each, ≤ 8 KiB | store |
| `co:{tenant}:chunks` | set of `<epoch>:<chunk>` | one per 65 536 numbers | store |
| `co:{tenant}:counts` | hash events, conflicts, duplicates | one per epoch | store |
| `co:{tenant}:conflicts` | list of numbers with two ids | the last 1 000 | store |
| `co:{tenant}:task:<task>` | list of event ids | one id per event | store |
| `co:{tenant}:tasks` | zset task → last event, ms | one per task | store |
| `co:{tenant}:day:<day>` | list of event ids | one id per event | store |
| `co:{tenant}:days` | set of days with events | one per day | store |
| `co:{tenant}:kind:<kind>` | list of event ids | one id per event but `attributed` | store |
| `co:{tenant}:sum:<day>` | hash (agent, kind, name) → sums | agents × tools per day | store |
| `co:{tenant}:fine:<day>` | hash (…, session, task) → sums | tools of a task, per task | store |
| `co:{tenant}:total` | hash agent → sums of all time | one per agent | store |
| `co:tenants` | set, hint of tenants with costs | one per tenant | before a tenant's first write |
"""

TENANTS = "co:tenants"


def raw(tenant: str) -> str:
    """Return the key of the events themselves."""
    return f"co:{{{tenant}}}:raw"


def numbers(tenant: str, epoch: str, chunk: int) -> str:
    """Return the key of one chunk of the sequence numbers seen in an epoch."""
    return f"co:{{{tenant}}}:seq:{epoch}:{chunk}"


def chunks(tenant: str) -> str:
    """Return the key of the index of chunks."""
    return f"co:{{{tenant}}}:chunks"


def counts(tenant: str) -> str:
    """Return the key of the counters of deliveries."""
    return f"co:{{{tenant}}}:counts"


def conflicts(tenant: str) -> str:
    """Return the key of the sequence numbers that came with two event ids."""
    return f"co:{{{tenant}}}:conflicts"


def task(tenant: str, task_id: str) -> str:
    """Return the key of a task's events."""
    return f"co:{{{tenant}}}:task:{task_id}"


def tasks(tenant: str) -> str:
    """Return the key of the index of tasks by their last event."""
    return f"co:{{{tenant}}}:tasks"


def day(tenant: str, date: str) -> str:
    """Return the key of the events of a UTC day."""
    return f"co:{{{tenant}}}:day:{date}"


def days(tenant: str) -> str:
    """Return the key of the index of days."""
    return f"co:{{{tenant}}}:days"


def kind(tenant: str, name: str) -> str:
    """Return the key of the events of a kind other than `attributed`."""
    return f"co:{{{tenant}}}:kind:{name}"


def sums(tenant: str, date: str, *, fine: bool) -> str:
    """Return the key of a UTC day's sums; the fine ones tell sessions and tasks apart."""
    return f"co:{{{tenant}}}:{'fine' if fine else 'sum'}:{date}"


def total(tenant: str) -> str:
    """Return the key of the sums of all time by agent."""
    return f"co:{{{tenant}}}:total"
