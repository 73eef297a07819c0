"""Sets what the ledger posted to each day beside what its events say, by the day that it charged.

A call is charged to the day on which it was reserved, in the tenant's time zone, and so are its
corrections, whenever they come. The ledger's figures are the balances of its own accounts, and each
event names the accounts that it was charged to: the two are the same money, counted twice.
"""

from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from eventing.event import Event
from eventing.types_ledger import LedgerAdjusted
from functions.costs import keys
from functions.costs.events.facts import read
from functions.costs.events.payload import Data
from functions.costs.questions.ranges import Span
from functions.costs.questions.rows import Sums
from functions.costs.store.spans import of_day
from functions.costs.store.store import CostStore
from functions.costs.trust.ledger import LedgerEvents
from shared.errors import Permanent
from shared.limits import STATE_TTL_S

LONGEST_DAYS = 2
"""A day's calls end that many days later at most: leases are far shorter, zones 14 hours apart."""

CORRECTED_DAYS = STATE_TTL_S // 86_400
"""A call is corrected that many days after its end at most: then the ledger's row of it is gone."""


@dataclass(frozen=True, slots=True)
class Days:
    """One comparison for one tenant."""

    store: CostStore
    ledger: LedgerEvents
    tenant: str
    authorization: str

    async def report(self, first: date, last: date) -> dict[str, Any]:
        """Return `zone` and a row per day, both ends included: both figures, whether they agree.

        Days that the ledger keeps no more have `None` for its figures, and for `agrees`.

        Raises:
            Permanent: the key is another tenant's: its ledger cannot be asked.
            Transient: the ledger is away.
        """
        kept = await self.ledger.days(first, last, self.authorization)
        if kept["tenant"] != self.tenant:
            raise Permanent(f"the ledger answers for the key's own tenant {kept['tenant']}: "
                            f"compare {self.tenant} with a key of its own")
        posted = {one["day"]: one for one in kept["days"]}
        events = await self._charged(first, last)
        days = [(first + timedelta(n)).isoformat() for n in range((last - first).days + 1)]
        rows = [_row(day, posted.get(day), events.get(day, Sums())) for day in days]
        return {"tenant": self.tenant, "zone": kept["zone"],
                "rows": [row for row in rows if row["ledger_nano"] or row["events_nano"]],
                "agrees": all(row["agrees"] is not False for row in rows)}

    async def _charged(self, first: date, last: date) -> dict[str, Sums]:
        found: dict[str, Sums] = defaultdict(Sums)
        seen: set[str] = set()
        async for event in self._events(first - timedelta(1), last + timedelta(LONGEST_DAYS)):
            if event.id in seen:
                continue
            if event.type == LedgerAdjusted.TYPE:
                seen.add(event.id)  # these alone come twice
            fact = read(event)
            if day := self._day(fact.data):
                found[day] += fact.sums
        return found

    async def _events(self, first: date, last: date) -> AsyncIterator[Event]:
        for day in await self.store.days(self.tenant):
            if first.isoformat() <= day <= last.isoformat():
                async for event in of_day(self.store, self.tenant, day, Span()):
                    yield event
        async for event in self.store.listed(self.tenant, keys.kind(self.tenant, "adjusted")):
            yield event  # corrections may come weeks later
        if self.store.archive is not None:
            later = {(last + timedelta(n)).isoformat() for n in range(1, CORRECTED_DAYS + 1)}
            async for event in self.store.archive.of_kind(self.tenant, "adjusted", later):
                yield event

    def _day(self, data: Data) -> str | None:
        own = f"tenant|{self.tenant}|d|"
        return next((name.removeprefix(own) for name in data.ledger.accounts
                     if name.startswith(own)), None)


def _row(day: str, posted: dict[str, Any] | None, events: Sums) -> dict[str, Any]:
    nano = posted["posted_nano"] if posted else None
    return {"day": day, "ledger_nano": nano, "events_nano": events.cost_nano,
            "difference_nano": None if nano is None else events.cost_nano - nano,
            "ledger_tokens": posted["posted_tok"] if posted else None,
            "events_tokens": events.tokens, "agrees": None if posted is None else
            (nano, posted["posted_tok"]) == (events.cost_nano, events.tokens)}
