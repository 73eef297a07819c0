"""Says of which version the sums of a day are, without I/O: what was read of it is of no other.

Every event makes a version of its day. Events that a release without versions kept make one of all
days, so that nothing that was read before such a release wrote again is taken for the present.
"""

from collections.abc import Mapping
from dataclasses import dataclass

DAY_CHARS = len("2026-11-21")


@dataclass(frozen=True, slots=True)
class Versions:
    """The versions of all days at one moment."""

    by_day: Mapping[str, int]
    """Day → events that came for it."""
    unversioned: int
    """Events that made no version of their day."""

    @classmethod
    def read(cls, changed: Mapping[str, str], events: str | None) -> "Versions":
        """Return the versions of what Redis has of them, and of how many events it has."""
        by_day = {day: int(count) for day, count in changed.items()}
        return cls(by_day, int(events or 0) - sum(by_day.values()))

    def of(self, label: str) -> str:
        """Return the version of the sums of an hour, day or month."""
        return f"{self._count(label)}.{self.unversioned}"

    def _count(self, label: str) -> int:
        if len(label) >= DAY_CHARS:
            return self.by_day.get(label[:DAY_CHARS], 0)
        return sum(count for day, count in self.by_day.items() if day.startswith(label))
