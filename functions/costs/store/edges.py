"""Reads the events of hours that only partly lie in a span, one by one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from functions.costs import keys
from functions.costs.events.facts import Fact, read
from functions.costs.questions.buckets import named
from functions.costs.questions.dimensions import BUCKETS
from functions.costs.questions.question import Question
from functions.costs.questions.rows import Row
from functions.costs.sums.adding import value_of
from shared.errors import Permanent
from shared.limits import COST_EDGE_EVENTS_MAX
from shared.store import mapped

if TYPE_CHECKING:
    from functions.costs.store.store import CostStore


async def fitting(store: "CostStore", tenant: str, hours: Sequence[str],
                  question: Question) -> list[Row]:
    """Return the events of these hours that lie in the span and pass the filters, as rows.

    Raises:
        Permanent: there are more than `COST_EDGE_EVENTS_MAX`.
    """
    await _bound(store, tenant, hours)
    facts = [read(event) for hour in hours
             async for event in store.of_hour(tenant, hour)]
    rows = [_row(fact, question) for fact in facts if question.span.holds(fact.at_ms)]
    return [row for row in rows if all(
        (value_of(row.of, name) or "") == value for name, value in question.filters.items())]


async def _bound(store: "CostStore", tenant: str, hours: Sequence[str]) -> None:
    with mapped():
        async with store.redis.pipeline(transaction=False) as pipe:
            for hour in hours:
                pipe.llen(keys.hour(tenant, hour))
            count = sum(await pipe.execute())
    if count > COST_EDGE_EVENTS_MAX:
        raise Permanent(
            f"from and to cut through {count} events, and at most {COST_EDGE_EVENTS_MAX} are read "
            "one by one: let them lie on UTC days, or on hours where no session or task is asked")


def _row(fact: Fact, question: Question) -> Row:
    buckets = {name: named(name, fact.hour, question.zone) for name in BUCKETS}
    tags = {f"tag.{key}": value for key, value in fact.tags.items()}
    return Row({**fact.row.of, **tags, **buckets}, fact.sums)
