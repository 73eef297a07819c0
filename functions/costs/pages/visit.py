"""One browser's visit: whose figures, of which time, by what."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode

from functions.costs.pages.periods import Period, period
from functions.costs.questions.question import FILTERS, Question, ask
from functions.costs.questions.report import grouped
from functions.costs.questions.rows import Row
from functions.costs.store.store import CostStore
from shared.limits import COST_ROWS_SHOWN_MAX

ALL = str(COST_ROWS_SHOWN_MAX)
FIGURES = ("cost_nano,invocations,tokens,failed_nano,retried_nano,unattributed_nano,"
           "reserved_nano,overrun_nano,input_tokens,cache_read_tokens,cache_write_tokens,"
           "cache_saved_nano,cold_starts,failures")


@dataclass(frozen=True, slots=True)
class Visit:
    """What a page may show: the figures of one tenant, as the address asks."""

    store: CostStore
    tenant: str
    asked: Mapping[str, str]
    now: datetime
    api: Callable[[str, Mapping[str, str]], Awaitable[Any]]
    """Answers a path of our own API, as this visitor: pages and programs see the same figures."""

    trace_url: str | None = None
    """Where traces are seen, with `{trace_id}` in it."""

    @property
    def today(self) -> date:
        """Return the day in UTC."""
        return self.now.astimezone(UTC).date()

    @property
    def period(self) -> Period:
        """Return the days to show.

        Raises:
            Permanent: (422) the address asks for days that are none.
        """
        return period(self.asked, self.today)

    @property
    def filters(self) -> dict[str, str]:
        """Return the dimensions that the address holds on to."""
        return {k: v for k, v in self.asked.items() if k in FILTERS or k.startswith("tag.")}

    async def rows(self, by: str, span: Period | None = None, *, since: datetime | None = None,
                   measures: str = FIGURES) -> list[Row]:
        """Return the sums by dimensions over a period; the visit's own one by default.

        `since` is an instant: everything from then on, in place of the period.

        Raises:
            Permanent: (422) a question that makes no sense, or needs too many events.
        """
        question = self._question(by, span, since=since, measures=measures)
        return grouped(question, await self.store.rows(self.tenant, question))

    async def each(self, *by: str, span: Period | None = None, measures: str = FIGURES,
                   ) -> list[list[Row]]:
        """Return the sums of one period by each of these, as `rows`; they are read once.

        Raises:
            Permanent: (422) as `rows`.
        """
        questions = [self._question(one, span, measures=measures) for one in by]
        if any(question.fine for question in questions):
            return [await self.rows(one, span, measures=measures) for one in by]
        found = await self.store.rows_of(self.tenant, questions)
        return [grouped(question, rows) for question, rows in zip(questions, found, strict=True)]

    async def dearest(self, by: str, limit: str, span: Period | None = None, *,
                      measures: str = FIGURES) -> list[Row]:
        """Return the dearest tasks or sessions of a period, however many there are.

        Raises:
            Permanent: (422) the filters pass so few that too many must be read.
        """
        question = self._question(by, span, limit=limit, measures=measures)
        return grouped(question, await self.store.dearest(self.tenant, question))

    def _question(self, by: str, span: Period | None, *, measures: str, limit: str = ALL,
                  since: datetime | None = None) -> Question:
        within = {"from": since.isoformat()} if since else (span or self.period).parameters
        return ask({"group_by": by, "measures": measures, **within, **self.filters,
                    "limit": limit})

    def href(self, path: str, **change: str | None) -> str:
        """Return an address that keeps what is asked for, with changes; `None` takes away."""
        kept = {k: v for k, v in {**self.asked, **change}.items() if v is not None}
        return f"{path}?{urlencode(kept)}" if kept else path
