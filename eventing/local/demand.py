"""Decides how many processes a Service needs, from what it did in its window."""

from collections import deque
from dataclasses import dataclass, field
from math import ceil


@dataclass(frozen=True, slots=True)
class Limits:
    """A Service's scale."""

    concurrency: int = 0
    """Requests one process may have at once; 0 is no limit."""

    target: int = 100
    """Requests one process should have at once."""

    min_scale: int = 0
    max_scale: int = 10
    window_s: float = 60.0
    queue_max: int = 1000
    """Requests that may wait per process (or for the first)."""

    def wanted(self, load: int) -> int:
        """Return the processes for that many requests, between the bounds."""
        return max(self.min_scale, min(self.max_scale, ceil(load / self.target)))


@dataclass(slots=True)
class Peak:
    """The highest level of the last `window_s` seconds; a level holds until the next is noted."""

    window_s: float
    level: int = 0
    _ended: deque[tuple[float, int]] = field(default_factory=deque)
    """Earlier levels with the time they ended, highest first."""

    def note(self, level: int, now_s: float) -> None:
        """Change the level."""
        if level < self.level:
            while self._ended and self._ended[-1][1] <= self.level:
                self._ended.pop()
            self._ended.append((now_s, self.level))
        self.level = level

    def within(self, now_s: float) -> int:
        """Return the highest level since `now_s - window_s`."""
        while self._ended and self._ended[0][0] <= now_s - self.window_s:
            self._ended.popleft()
        return max(self.level, self._ended[0][1] if self._ended else 0)
