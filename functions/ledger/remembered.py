"""Remembers the fixed parts of rows, so that Redis is not asked for what this process told it."""

from collections import OrderedDict

from functions.ledger.call import Facts

FACTS_MAX = 2_000
"""Some 3 KiB each."""


class Remembered:
    """A bounded map by tenant and reservation; the oldest is forgotten."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], Facts] = OrderedDict()

    def put(self, tenant: str, reservation_id: str, facts: Facts) -> None:
        """Keep a row's fixed part."""
        self._known[tenant, reservation_id] = facts
        if len(self._known) > FACTS_MAX:
            self._known.popitem(last=False)

    def get(self, tenant: str, reservation_id: str) -> Facts | None:
        """Return what is known of a row."""
        return self._known.get((tenant, reservation_id))

    def drop(self, tenant: str, reservation_id: str) -> Facts | None:
        """Forget a row; return what was known."""
        return self._known.pop((tenant, reservation_id), None)
