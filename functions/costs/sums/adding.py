"""Adds kept amounts up by what a question groups by, without I/O."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from functions.costs.questions.buckets import named
from functions.costs.questions.dimensions import BUCKETS, MEASURES, TAG
from functions.costs.questions.question import Question
from functions.costs.questions.rows import Row, Sums
from functions.costs.sums.columns import Columns

Told = tuple[str | None, ...]
Dimensions = Mapping[str, str | None]
Amounts = Mapping[str, Mapping[str, int]]
"""Row → letter of a measure → amount."""
Picked = Callable[[Sequence[int]], Sequence[int]]
"""Returns some amounts of a column."""


@dataclass(slots=True)
class Adding:
    """What a question's answer has come to so far."""

    question: Question
    sums: dict[Told, dict[str, int]] = field(default_factory=dict)
    _rows: dict[str, Told | None] = field(default_factory=dict)
    """Row → its values of the dimensions that are no time; `None` if a filter drops it."""
    _placed: dict[tuple[str, ...], Mapping[Told, Picked]] = field(default_factory=dict)
    """Rows in their order → what belongs to each row of the answer: many hours have the same."""
    _wanted: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        self._wanted = self.question.wanted

    def add(self, kept: Columns, known: Mapping[str, Dimensions], *, at: str = "", sign: int = 1,
            ) -> None:
        """Add amounts of one time, or take them away."""
        question = self.question
        wanted = [(kept.amounts[MEASURES[name]], name) for name in self._wanted
                  if MEASURES[name] in kept.amounts]
        when = {n: named(name, at, question.zone) for n, name in enumerate(question.group_by)
                if name in BUCKETS}
        if kept.rows not in self._placed:
            self._placed[kept.rows] = self._picks(kept.rows, known)
        for told, picked in self._placed[kept.rows].items():
            sums = self._sums(
                tuple(when.get(n, value) for n, value in enumerate(told)) if when else told)
            for amounts, name in wanted:
                sums[name] += sign * sum(picked(amounts))

    def _picks(self, rows: tuple[str, ...], known: Mapping[str, Dimensions],
               ) -> Mapping[Told, Picked]:
        found: dict[Told, list[int]] = {}
        for n, row in enumerate(rows):
            if row not in self._rows:
                self._rows[row] = self._told(known[row])
            told = self._rows[row]
            if told is not None:
                found.setdefault(told, []).append(n)
        return {told: picking(positions) for told, positions in found.items()}

    def add_of(self, kept: Amounts, known: Mapping[str, Dimensions], fixed: Dimensions, *,
               at: str = "") -> None:
        """Add amounts of something whose other dimensions are fixed, such as one task."""
        question = self.question
        wanted = [(MEASURES[name], name) for name in self._wanted]
        for row, amounts in kept.items():
            told = self._told({**known[row], **fixed, **{
                name: named(name, at, question.zone) for name in BUCKETS if at}})
            if told is None:
                continue
            sums = self._sums(told)
            for letter, name in wanted:
                if letter in amounts:
                    sums[name] += amounts[letter]

    def _sums(self, told: Told) -> dict[str, int]:
        if told not in self.sums:
            self.sums[told] = dict.fromkeys(self._wanted, 0)
        return self.sums[told]

    def _told(self, of: Dimensions) -> Told | None:
        question = self.question
        if any((value_of(of, name) or "") != value for name, value in question.filters.items()):
            return None
        return tuple(value_of(of, name) for name in question.group_by)

    def rows(self, given: Dimensions) -> list[Row]:
        """Return the sums as rows; `given` has dimensions that are the same for all."""
        names = self.question.group_by
        return [Row({**dict(zip(names, told, strict=True)), **given}, Sums.of(amounts))
                for told, amounts in self.sums.items()]


def picking(positions: Sequence[int]) -> Picked:
    """Return what picks the amounts at these positions; of a single one, too, it is a sequence."""
    first = positions[0]
    return itemgetter(*positions) if len(positions) > 1 else itemgetter(slice(first, first + 1))


def value_of(of: Dimensions, name: str) -> str | None:
    """Return the value of a dimension; of a tag, `(other)` where tags are no longer told."""
    if name.startswith(TAG):
        return of.get(name, of.get(f"{TAG}*"))
    return of.get(name)


def amounts_of(fields: Iterable[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """Return amounts by row and letter of fields `<row><letter>`, added up where some are equal."""
    found: dict[str, dict[str, int]] = {}
    for name, amount in fields:
        row, letter = name[:-1], name[-1]
        if row not in found:
            found[row] = {letter: int(amount)}
        else:
            found[row][letter] = found[row].get(letter, 0) + int(amount)
    return found
