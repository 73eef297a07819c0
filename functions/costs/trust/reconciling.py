"""Compares everything that says what was spent: to the nano-dollar, or it names the difference."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any

from eventing.event import Event
from eventing.focus.check import DIGITS
from functions.costs.events.facts import read
from functions.costs.events.sequence import Range
from functions.costs.export.charging import charges_of, rows_of
from functions.costs.questions.question import Question, ask
from functions.costs.questions.ranges import Span
from functions.costs.questions.rows import total
from functions.costs.store.store import CostStore
from functions.costs.trust.gaps import PAGE_MAX
from functions.costs.trust.ledger import LedgerEvents
from shared.amounts import NANO
from shared.errors import Permanent, Transient

OUTBOX_PAGES_MAX = 300
"""Asked of the ledger at most, the newest first: 60 000 events, half a minute."""

NEWEST = f"of the ledger's events the newest {OUTBOX_PAGES_MAX * PAGE_MAX} were compared"


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """One comparison for one tenant and span."""

    store: CostStore
    ledger: LedgerEvents
    tenant: str
    authorization: str

    async def report(self, span: Span) -> dict[str, Any]:
        """Return `sources` in nano-USD, `differences` to the cost store, and whether all agree.

        `ledger` is what it posted of all time less what costs lie outside the span. `outbox` is
        what its events of the span say, with the store's figures for those it keeps no more; so is
        `archive`, read back from its objects. `events` and `focus` are added up anew from the
        events themselves, archived ones included.

        Raises:
            Permanent: the key is another tenant's: its ledger cannot be asked.
        """
        costs = await self._kept(span)
        events, focus = await self._recomputed(span)
        sources: dict[str, int | None] = {
            "ledger": None, "outbox": None, "costs": costs, "events": events, "archive": costs,
            "focus": focus}
        if self.store.archive is not None:
            sources["archive"] = costs + await self.store.archive.difference(self.tenant, span)
        notes: list[str] = []
        try:
            sources["ledger"] = await self._posted() - (await self._kept(Span()) - costs)
            difference, pages = await self._outbox_difference(span)
            sources["outbox"] = costs + difference
            notes += [NEWEST] if pages == OUTBOX_PAGES_MAX else []
        except Transient as error:
            notes.append(error.detail)
        return {"tenant": self.tenant, "sources": sources, "notes": notes,
                **await self._judged(sources, costs)}

    async def _judged(self, sources: Mapping[str, int | None], costs: int) -> dict[str, Any]:
        differences = {name: amount - costs for name, amount in sources.items()
                       if amount is not None and amount != costs}
        unknown = [name for name, amount in sources.items() if amount is None]
        missing = sum(check.missing_count for check in await self.store.checks(self.tenant))
        return {"differences": differences, "unknown": unknown, "missing_events": missing,
                "agrees": not (differences or unknown or missing)}

    async def _kept(self, span: Span) -> int:
        question = Question(("kind",), span, asked={})
        return total(await self.store.rows(self.tenant, question)).cost_nano

    async def _recomputed(self, span: Span) -> tuple[int, int]:
        nano, billed = 0, Decimal(0)
        async for charges in charges_of(self.store, self.tenant, span):
            nano += charges.nano
            async for rows in rows_of(charges):
                with localcontext(prec=DIGITS):
                    billed += sum((Decimal(row["BilledCost"] or 0) for row in rows), Decimal(0))
        with localcontext(prec=DIGITS):
            return nano, int(billed * NANO)

    async def _posted(self) -> int:
        summary = await self.ledger.summary(self.authorization)
        if summary["tenant"] != self.tenant:
            raise Permanent(f"the ledger answers for the key's own tenant {summary['tenant']}: "
                            f"reconcile {self.tenant} with a key of its own")
        return int(summary["posted_nano"])

    async def _outbox_difference(self, span: Span) -> tuple[int, int]:
        """Return by how much the outbox's events say more than the store's, and how many pages."""
        difference = pages = 0
        async for page in self._pages():
            pages += 1
            here = {event.id: _nano(event, span)
                    for event in await self.store.events(self.tenant, [e.id for e in page])}
            difference += sum(_nano(event, span) - here.get(event.id, 0) for event in page)
        return difference, pages

    async def _pages(self) -> AsyncIterator[list[Event]]:
        epoch, whole = await self.ledger.whole(self.authorization)
        ends = {check.epoch: check.last for check in await self.store.checks(self.tenant)}
        ends[epoch] = max(ends.get(epoch, 0), whole.last)
        left = OUTBOX_PAGES_MAX
        for name, last in sorted(ends.items(), reverse=True):
            for end in range(last, 0, -PAGE_MAX):
                if not left:
                    return
                page = await self.ledger.between(
                    name, Range(max(end - PAGE_MAX + 1, 1), end), self.authorization)
                left -= 1
                if not page:  # this one and older ones are trimmed
                    break
                yield page


def _nano(event: Event, span: Span) -> int:
    fact = read(event)
    return fact.sums.cost_nano if span.holds(fact.at_ms) else 0


def span_of(parameters: Mapping[str, str]) -> Span:
    """Return the span of a request.

    Raises:
        Permanent: it is malformed or upside down.
    """
    return ask({k: v for k, v in parameters.items() if k in ("from", "to")}).span
