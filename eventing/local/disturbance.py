"""Loses, doubles and shuffles deliveries on purpose, for tests; off unless one asks for it."""

import random
from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Drop:
    """Loses the nth event of a type on its way to a Trigger, once."""

    type: str
    nth: int = 1
    """From 1."""

    trigger: str | None = None
    """`None`: any Trigger; the count runs over all of them."""


@dataclass(slots=True)
class Disturbance:
    """What goes wrong between the broker and the functions."""

    drop: Drop | None = None
    twice: bool = False
    """Every delivery is made two times, concurrently."""

    shuffle_s: float = 0.0
    """Each delivery waits for a random part of this."""

    seed: int = 0
    dropped: int = 0
    _seen: Counter[str] = field(default_factory=Counter)
    _random: random.Random | None = None

    def drops(self, trigger: str, event_type: str) -> bool:
        """Tell whether to lose this delivery; counts it."""
        drop = self.drop
        if drop is None or drop.type != event_type or drop.trigger not in (None, trigger):
            return False
        self._seen[event_type] += 1
        lost = self._seen[event_type] == drop.nth
        self.dropped += lost
        return lost

    def delay_s(self) -> float:
        """Return how long the next delivery waits."""
        if not self.shuffle_s:
            return 0.0
        self._random = self._random or random.Random(self.seed)  # noqa: S311 - no secret
        return self._random.uniform(0, self.shuffle_s)
