"""Prices a period again under another table, as adjustments (ADR 0027).

The source is the ledger's own outbox, gapless and kept for 14 days like the rows that an
adjustment changes; what is older stays as it was charged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from eventing.types_ledger import LedgerAttributed
from functions.ledger.budget_yaml import located, parse
from functions.ledger.cost import most, price
from functions.ledger.finishing import Endings
from functions.ledger.outbox import Outbox
from functions.ledger.price_table import PriceTable
from functions.ledger.rates import Rates
from functions.ledger.requests import AdjustBody, RerateBody
from shared.errors import Permanent
from shared.limits import RERATE_PAGE_MAX, STATE_TTL_S
from shared.usage import Usage


@dataclass(frozen=True, slots=True)
class Rerated:
    """What one invocation costs under the other table."""

    id: str
    what: str
    """`provider/model`, or the tool."""
    new_nano: int


def table_of(text: str) -> PriceTable:
    """Return a price table written as YAML: `label`, `models`, `tools` (docs/budgets.md).

    Raises:
        Faults: it is malformed; every fault is named with its line and field.
    """
    data, lines = parse(text)
    try:
        return PriceTable.model_validate(data)
    except ValidationError as error:
        raise located(error, lines) from None


def rerated(data: LedgerAttributed, table: PriceTable) -> Rerated | None:
    """Return what an invocation costs under a table; `None` if the table does not price it."""
    if data.outcome == "voided":
        return None
    what, rates = _rates(data, table)
    if rates is None:
        return None
    classes: dict[str, Any] = dict(data.usage.classes)
    if data.outcome == "forfeited":
        priced = most(rates, classes["input_uncached"], classes["output_text"])
    else:
        priced = price(Usage(requests=data.usage.requests, **classes), rates)
    return Rerated(data.invocation.id, what, priced.total_nano)


def _rates(data: LedgerAttributed, table: PriceTable) -> tuple[str, Rates | None]:
    if data.model is not None:
        name = f"{data.model.provider}/{data.model.response or data.model.selected}"
        return name, table.model(name)
    if data.tool is not None:
        return data.tool.name, table.tool(data.tool.name, data.tool.version)
    return "", None


class Rerates:
    """Goes through a tenant's events, page by page."""

    def __init__(self, endings: Endings, outbox: Outbox) -> None:
        self._endings, self._outbox = endings, outbox

    async def page(self, tenant: str, body: RerateBody, now: float) -> dict[str, Any]:
        """Return what a page of events costs under the table, adjusted if asked to.

        The same page again finds everything at its new cost and changes nothing.

        Raises:
            Permanent: the period is upside down, or begins before what is kept.
        """
        _refuse_period(body, now)
        table = table_of(body.prices)
        entries = await self._outbox.page(tenant, body.after, RERATE_PAGE_MAX)
        rows, expired = [], 0
        for at_ms, event in entries.events:
            is_due = body.begin * 1000 <= at_ms < body.end * 1000
            if event is None or not is_due or event.type != LedgerAttributed.TYPE:
                continue
            found = rerated(LedgerAttributed.model_validate_json(event.data or b""), table)
            row = await self._row(tenant, found, table, body.apply) if found else None
            expired += found is not None and row is None
            rows += [row] if row else []
        return {"rows": rows, "expired": expired, "next": entries.last, "applied": body.apply}

    async def _row(self, tenant: str, found: Rerated, table: PriceTable,
                   is_applied: bool) -> Mapping[str, Any] | None:
        known = await self._endings.cost(tenant, found.id)
        if known is None:
            return None
        old_nano, count = known
        delta = found.new_nano - old_nano
        if delta and is_applied:
            await self._endings.adjust(tenant, found.id, AdjustBody(
                key=f"rerate:{table.label}:{count}", delta_nano=delta,
                reason=f"rerate {table.label}"))
        return {"id": found.id, "what": found.what, "old_nano": old_nano,
                "new_nano": found.new_nano, "delta_nano": delta}


def _refuse_period(body: RerateBody, now: float) -> None:
    if body.begin >= body.end:
        raise Permanent("begin: the period ends before it begins")
    if body.begin < now - STATE_TTL_S:
        raise Permanent(f"begin: only the last {STATE_TTL_S // 86400} days can be priced again: "
                        "what is needed to correct an older charge is gone")
