"""Names the keys of rollouts in Redis.

| key | type | holds | lives | written by |
|---|---|---|---|---|
| `ro:{<rollout>}:facts` | hash | one field per event that counts, see `facts.py` | 1 d after its latest end | `record.lua` |
| `ro:{<rollout>}:look` | string | a look was taken a moment ago | `ROLLOUT_LOOK_EVERY_S` | `Samples.is_time` |
"""  # noqa: E501 - a table

from shared.limits import ROLLOUT_DURATION_MAX_S

FACTS_TTL_S = int(ROLLOUT_DURATION_MAX_S) + 86_400


def facts(rollout: str) -> str:
    """Return the key of what is known of a rollout's tasks or runs."""
    return f"ro:{{{rollout}}}:facts"


def look(rollout: str) -> str:
    """Return the key that keeps looks apart."""
    return f"ro:{{{rollout}}}:look"
