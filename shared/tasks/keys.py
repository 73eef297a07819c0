"""The Redis keys of tasks; a tenant's share its hash tag, so scripts work on a cluster.

| pattern | type | TTL | written by |
|---|---|---|---|
| `tk:{tenant}:t:<task>` | hash `v doc step out cancel r:… o:…` | 14 d after each write | scripts |
| `tk:{tenant}:c:<task>:<step>` | hash `token until record` | until committed, ≤ 14 d | claim |
| `tk:{tenant}:steps:<task>` | list of step records | as the task | commit |
| `tk:{tenant}:stream:<task>` | stream for waiters | as the task | submit, commit |
| `tk:{tenant}:due` | zset task → epoch s | none: empties itself | submit, commit, published |
| `tk:{tenant}:all` `:status:<s>` `:agent:<a>` | zset task → created s | trimmed at 14 d | commits |
| `tk:{tenant}:session:<agent>:<session>` | list of turns | 14 d after last use | commit |
| `tk:{tenant}:rate:<second>` | integer | 2 s | gateway |
| `cc:{tenant}:<sha256>` | string, a claim check | 14 d after each write | who publishes |
| `tk:tenants` | set, hint of tenants with tasks | none | before a tenant's first write |
| `tk:hints` | channel: `tenant task` | – | every commit |
"""

TENANTS = "tk:tenants"
HINTS = "tk:hints"


def task(tenant: str, task_id: str) -> str:
    """Return the key of a task's hash."""
    return f"tk:{{{tenant}}}:t:{task_id}"


def claim(tenant: str, task_id: str, step: int) -> str:
    """Return the key of a step's claim."""
    return f"tk:{{{tenant}}}:c:{task_id}:{step}"


def steps(tenant: str, task_id: str) -> str:
    """Return the key of a task's step records."""
    return f"tk:{{{tenant}}}:steps:{task_id}"


def stream(tenant: str, task_id: str) -> str:
    """Return the key of the stream that waiters read."""
    return f"tk:{{{tenant}}}:stream:{task_id}"


def due(tenant: str) -> str:
    """Return the key of what the watchdog looks after."""
    return f"tk:{{{tenant}}}:due"


def index(tenant: str, by: str = "all", value: str = "") -> str:
    """Return the key of an index of tasks: `all`, `status` or `agent`."""
    return f"tk:{{{tenant}}}:{by}:{value}" if value else f"tk:{{{tenant}}}:{by}"


def session(tenant: str, agent: str, session_id: str) -> str:
    """Return the key of a conversation's memory."""
    return f"tk:{{{tenant}}}:session:{agent}:{session_id}"


def rate(tenant: str, second: int) -> str:
    """Return the key of a tenant's request counter for one second."""
    return f"tk:{{{tenant}}}:rate:{second}"


def claim_check(tenant: str, sha256: str) -> str:
    """Return the key of a large value that an event refers to."""
    return f"cc:{{{tenant}}}:{sha256}"
