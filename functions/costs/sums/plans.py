"""Plans which kept sums answer a question, and which bucket of time each adds to; without I/O.

In a zone other than UTC a day of people is a UTC day less the hours at its end, or its beginning,
that belong to a neighbour: two hours are read in place of twenty-four.
"""

from functools import lru_cache
from typing import NamedTuple

from functions.costs.questions.buckets import named
from functions.costs.questions.dimensions import BUCKETS
from functions.costs.questions.question import Question
from functions.costs.questions.ranges import hours_of
from functions.costs.sums.versions import DAY_CHARS


class Part(NamedTuple):
    """A kept sum that is added to a bucket, or taken from one."""

    label: str
    """The hour, day or month whose sums are meant."""
    at: str
    """A label in the bucket that they go to."""
    sign: int = 1


Group = tuple[Part, ...]
"""Parts that are read at one moment: else what comes meanwhile would be in one of them only."""


def plan(label: str, question: Question) -> Group:
    """Return the parts that the kept sums of an hour, day or month go to."""
    if not question.zoned or len(label) != DAY_CHARS:
        return (Part(label, label),)
    return _split(label, tuple(name for name in BUCKETS if name in question.group_by),
                  question.zone)


@lru_cache(maxsize=1024)
def _split(day: str, buckets: tuple[str, ...], zone: str) -> Group:
    """Return a UTC day's sums for the bucket of most of its hours, and its other hours moved."""
    of: dict[tuple[str, ...], list[str]] = {}
    for hour in hours_of(day):
        of.setdefault(tuple(named(bucket, hour, zone) for bucket in buckets), []).append(hour)
    most, *others = sorted(of.values(), key=len, reverse=True)
    moved = [part for hours in others for hour in hours
             for part in (Part(hour, hour), Part(hour, most[0], -1))]
    return (Part(day, most[0]), *moved)
