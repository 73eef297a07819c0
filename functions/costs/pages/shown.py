"""A page as figures, before it is HTML or CSV."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from functions.costs.pages.tables import Card, Table
from shared.errors import NotFound


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page shows."""

    name: str
    """The page's path without the slash; `now` is at the root."""

    title: str
    cards: Sequence[Card]
    tables: Sequence[Table]
    timed: bool = True
    """Whether one chooses a span of days."""

    more: Mapping[str, Any] = field(default_factory=dict)
    """What its own part of the template needs."""

    def table(self, name: str) -> Table:
        """Return one of its tables.

        Raises:
            NotFound: it has none of this name.
        """
        for table in self.tables:
            if table.name == name:
                return table
        raise NotFound(f"no table {name!r} on this page; there are "
                       f"{', '.join(table.name for table in self.tables)}")
