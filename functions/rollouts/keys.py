"""Names the keys of rollouts in Redis.

| key | type | holds | lives | writer |
|---|---|---|---|---|
| `ro:{<rollout>}:facts` | hash | a field per event that counts: `facts.py` | 8 d | `record.lua` |
| `ro:{<rollout>}:look` | string | a look was just taken | 5 s | `Samples.is_time` |
"""

from shared.limits import ROLLOUT_DURATION_MAX_S

FACTS_TTL_S = int(ROLLOUT_DURATION_MAX_S) + 86_400


def facts(rollout: str) -> str:
    """Return the key of what is known of a rollout's tasks or runs."""
    return f"ro:{{{rollout}}}:facts"


def look(rollout: str) -> str:
    """Return the key that keeps looks apart."""
    return f"ro:{{{rollout}}}:look"
