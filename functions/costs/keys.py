"""The Redis keys of the cost store. All but the hint share a tenant's hash tag.

Financial history: nothing but a lock expires here; archived events leave, their sums stay.

| pattern | type | growth | written by |
|---|---|---|---|
| `co:{tenant}:raw` | hash id → packed event, `-` once archived | 0.3 KiB each | store, archive |
| `co:{tenant}:seq:<epoch>:<chunk>` | bitmap of numbers seen | a bit each, ≤ 8 KiB | store |
| `co:{tenant}:chunks` | set of `<epoch>:<chunk>` | one per 65 536 numbers | store |
| `co:{tenant}:counts` | hash events, conflicts, duplicates … | one per epoch | store |
| `co:{tenant}:conflicts` | list of numbers with two ids | the last 1 000 | store |
| `co:{tenant}:task:<task>` | list of event ids | one id per event | store, archive |
| `co:{tenant}:tasks` | zset task → last event, ms | one per task | store |
| `co:{tenant}:ended` | hash task → how it ended, JSON | one per task | ends |
| `co:{tenant}:ends[:<day>]` | hash end and agent → tasks that ended so | some per agent | ends |
| `co:{tenant}:open` | zset task without an end → last event, ms | tasks that run | store, ends |
| `co:{tenant}:h:<hour>` | list of event ids | one id per event | store, archive |
| `co:{tenant}:days` | set of days with events or ends | one per day | store, ends |
| `co:{tenant}:changed` | hash day → its events so far, the version of its sums | as days | store |
| `co:{tenant}:kind:<kind>` | list of event ids | one id per event but `attributed` | store |
| `co:{tenant}:rows` | hash coordinates (JSON) → row | ≤ 2 × `COST_ROWS_MAX` and a few | store |
| `co:{tenant}:coords` | hash row → coordinates | as rows | store |
| `co:{tenant}:sum:<hour, day or month>` | hash row + measure → amount | rows × 3 | store |
| `co:{tenant}:more:<the same>` | the sums of other measures | rows × measures | store |
| `co:{tenant}:packed` | hash `sum` or `more`, label → its sums, JSON | a text each | readers |
| `co:{tenant}:places` | hash [task, session, root] (JSON) → place, first day | a task's | store |
| `co:{tenant}:named` | hash place → [task, session, root] | one per task | store |
| `co:{tenant}:at:<[task, session, root]>` | hash day + row + measure → amount | a task's | store |
| `co:{tenant}:sessions` | hash session → its first day | one per session | store |
| `co:{tenant}:several:<place or session>` | hash of those of several days → days | few | store |
| `co:{tenant}:dear:<place or session>:<day>[:<agent>]` | zset → cost then | two each | store |
| `co:{tenant}:recounted` | events of earlier releases that lists have | one | recount |
| `co:{tenant}:recounting` | lock of who does so, saying how far | one | recount |
| `co:{tenant}:by:<dimension>:<value>` | set of places | tasks of a session, a root | store |
| `co:{tenant}:total` | hash measure and agent → amount of all time | three per agent | store |
| `co:{tenant}:archive` | hash object → what it holds, JSON | one per object | archive |
| `co:{tenant}:moved` | hash task → objects with its events | one per archived task | archive |
| `co:{tenant}:invoices` | hash provider and line → quantity and cost | their lines | invoices |
| `co:tenants` | set, hint of tenants with costs | one per tenant | before a tenant's first write |

A place is a task in a session under a root, with a number that is shorter than its name.
"""

from shared import doubts

TENANTS = "co:tenants"


def of(tenant: str, *parts: str) -> str:
    """Return a tenant's key; the table above says which there are."""
    return f"co:{{{tenant}}}:{':'.join(parts)}"


def raw(tenant: str) -> str:
    """Return the key of the events themselves."""
    return of(tenant, "raw")


def numbers(tenant: str, epoch: str, chunk: int) -> str:
    """Return the key of one chunk of the sequence numbers seen in an epoch."""
    return of(tenant, "seq", epoch, str(chunk))


def chunks(tenant: str) -> str:
    """Return the key of the index of chunks."""
    return of(tenant, "chunks")


def counts(tenant: str) -> str:
    """Return the key of the counters of deliveries."""
    return of(tenant, "counts")


def conflicts(tenant: str) -> str:
    """Return the key of the sequence numbers that came with two event ids; the ledger reads it."""
    return doubts.conflicts(tenant)


def task(tenant: str, task_id: str) -> str:
    """Return the key of a task's events."""
    return of(tenant, "task", task_id)


def tasks(tenant: str) -> str:
    """Return the key of the index of tasks by their last event."""
    return of(tenant, "tasks")


def hour(tenant: str, label: str) -> str:
    """Return the key of the events of a UTC hour."""
    return of(tenant, "h", label)


def days(tenant: str) -> str:
    """Return the key of the index of days."""
    return of(tenant, "days")


def kind(tenant: str, name: str) -> str:
    """Return the key of the events of a kind other than `attributed`."""
    return of(tenant, "kind", name)


def sums(tenant: str, label: str) -> str:
    """Return the key of the sums of a UTC hour, day or month."""
    return of(tenant, "sum", label)


def more(tenant: str, label: str) -> str:
    """Return the key of those sums that only some questions ask for."""
    return of(tenant, "more", label)


def place(tenant: str, name: str) -> str:
    """Return the key of the sums of a task in a session under a root."""
    return of(tenant, "at", name)


def dear(tenant: str, what: str, day: str, *agent: str) -> str:
    """Return the key of a day's places or sessions by cost: of all agents, or of one."""
    return of(tenant, "dear", what, day, *agent)


def several(tenant: str, what: str) -> str:
    """Return the key of the places or sessions that were met on more than one day."""
    return of(tenant, "several", what)


def by(tenant: str, dimension: str, value: str) -> str:
    """Return the key of the places of a task, session or root."""
    return of(tenant, "by", dimension, value)


def total(tenant: str) -> str:
    """Return the key of the sums of all time by agent."""
    return of(tenant, "total")
