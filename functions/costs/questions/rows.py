"""What invocations came to, and what for: the values that all sums are made of."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from functions.costs.questions.dimensions import DEFAULT_MEASURES


@dataclass(frozen=True, slots=True)
class Sums:
    """What some invocations came to."""

    cost_nano: int = 0
    invocations: int = 0
    tokens: int = 0
    more: Mapping[str, int] = field(default_factory=dict, compare=False)
    """Other measures, where asked for."""

    def __add__(self, other: "Sums") -> "Sums":
        names = {*self.more, *other.more}
        more = {name: self.more.get(name, 0) + other.more.get(name, 0) for name in names}
        return Sums(self.cost_nano + other.cost_nano, self.invocations + other.invocations,
                    self.tokens + other.tokens, more)

    @classmethod
    def of(cls, amounts: Mapping[str, int]) -> "Sums":
        """Return the sums of amounts by measure."""
        more = {k: n for k, n in amounts.items() if k not in DEFAULT_MEASURES}
        return cls(amounts.get("cost_nano", 0), amounts.get("invocations", 0),
                   amounts.get("tokens", 0), more)

    def measure(self, name: str) -> int:
        """Return one measure."""
        found = getattr(self, name) if name in DEFAULT_MEASURES else self.more.get(name, 0)
        return int(found)

    @property
    def empty(self) -> bool:
        """Tell whether every measure is 0."""
        return self == Sums() and not any(self.more.values())


@dataclass(frozen=True, slots=True)
class Row:
    """Sums under what they are for; `None` where a dimension does not apply."""

    of: Mapping[str, str | None]
    sums: Sums


def total(rows: Iterable[Row]) -> Sums:
    """Return the sum of all rows."""
    return sum((row.sums for row in rows), Sums())
