"""Remembers what happened lately, metadata only, for the page and the command line."""

import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from eventing.event import Event

RECORDS_MAX = 5000
"""About a megabyte; older records are forgotten."""


class Journal:
    """A bounded ring of numbered records."""

    def __init__(self) -> None:
        self._records: deque[dict[str, Any]] = deque(maxlen=RECORDS_MAX)
        self._number = 0

    def note(self, kind: str, **details: Any) -> None:
        """Add a record of what happened now."""
        self._number += 1
        self._records.append({"n": self._number, "kind": kind, "time": round(time.time(), 4),
                              **details})

    def event(self, event: Event) -> None:
        """Add an accepted event."""
        self.note("event", type=event.type, source=event.source, id=event.id,
                  task=event.extensions.get("taskid"), tenant=event.extensions.get("tenantid"))

    def after(self, number: int) -> list[Mapping[str, Any]]:
        """Return the records with a higher number, oldest first."""
        return [record for record in self._records if record["n"] > number]
