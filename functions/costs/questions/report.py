"""Answers "what did it cost, by what?": adds up rows and writes the answer, without I/O."""

from collections.abc import Iterable
from typing import Any

from functions.costs.questions.dimensions import COST_TEXT, MEASURES, usd_text
from functions.costs.questions.question import Question
from functions.costs.questions.rows import Row, Sums, total


def grouped(question: Question, rows: Iterable[Row]) -> list[Row]:
    """Return the rows that pass the filters, added up by the dimensions, as ordered.

    A filter on what rows do not tell was applied where they were read.
    """
    found: dict[tuple[str | None, ...], Sums] = {}
    for row in rows:
        if all((row.of[name] or "") == value for name, value in question.filters.items()
               if name in row.of):
            told = tuple([row.of.get(d) for d in question.group_by])
            found[told] = found[told] + row.sums if told in found else row.sums
    kept = [Row(dict(zip(question.group_by, key, strict=True)), sums)
            for key, sums in found.items() if not sums.empty]
    return _ordered(kept, question)


def _ordered(rows: list[Row], question: Question) -> list[Row]:
    rows.sort(key=lambda row: tuple(value or "" for value in row.of.values()))
    name, descending = question.order.removeprefix("-"), question.order.startswith("-")
    if name in MEASURES:
        return sorted(rows, key=lambda row: row.sums.measure(name), reverse=descending)
    return sorted(rows, key=lambda row: row.of.get(name) or "", reverse=descending)


def answer(tenant: str, question: Question, rows: list[Row], whole: Sums | None = None,
           ) -> dict[str, Any]:
    """Return the body of `GET /v1/costs`; all rows add up to the totals exactly.

    `whole` is given where the rows are the dearest only.
    """
    whole, shown, is_cut = whole or total(rows), rows[:question.limit], whole is not None
    return {
        "tenant": tenant, "from": question.asked.get("from"), "to": question.asked.get("to"),
        "tz": question.zone, "group_by": list(question.group_by),
        "rows": [{**row.of, **measured(row.sums, question)} for row in shown],
        "total_nano": whole.cost_nano, "total_usd": usd_text(whole.cost_nano),
        "invocations": whole.invocations, "tokens": whole.tokens,
        "totals": measured(whole, question), "truncated": is_cut or len(shown) < len(rows),
    }


def measured(sums: Sums, question: Question) -> dict[str, int | str]:
    """Return the measures that were asked for."""
    return {name: usd_text(sums.cost_nano) if name == COST_TEXT else sums.measure(name)
            for name in question.measures}
