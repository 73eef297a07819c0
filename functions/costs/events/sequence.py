"""Finds what is missing in the ledger's gapless sequence, without I/O.

The numbers seen are kept as bitmaps, in chunks, so that a number far off cannot make a huge one.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

CHUNK_BITS = 65_536
"""Numbers per bitmap: 8 KiB."""

NUMBER_MAX = 2**53 - 1
RANGES_SHOWN_MAX = 1_000
"""More holes than this are counted, and the first ones listed."""

_RUN = re.compile("1+")


@dataclass(frozen=True, slots=True)
class Range:
    """Sequence numbers `first` to `last`, both included."""

    first: int
    last: int

    @property
    def size(self) -> int:
        """Return how many numbers the range holds."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Check:
    """What one epoch's numbers say."""

    epoch: str
    first: int
    """The smallest number seen; a sequence begins at 1."""
    last: int
    count: int
    """Different numbers seen."""
    missing: tuple[Range, ...]

    @property
    def missing_count(self) -> int:
        """Return how many numbers are missing below `last`."""
        return self.last - self.count


def place(number: int) -> tuple[int, int]:
    """Return the chunk of a sequence number and its bit there."""
    return divmod(number, CHUNK_BITS)


def runs(chunk: int, bitmap: bytes) -> list[Range]:
    """Return the ranges of numbers whose bits are set in a chunk, ascending."""
    bits = f"{int.from_bytes(bitmap, 'big'):0{len(bitmap) * 8}b}"
    base = chunk * CHUNK_BITS
    return [Range(base + m.start(), base + m.end() - 1) for m in _RUN.finditer(bits)]


def check(epoch: str, seen: Iterable[Range]) -> Check:
    """Return the gap check of an epoch whose seen ranges are ascending and do not overlap."""
    ranges = list(seen)
    missing: list[Range] = []
    expected = 1
    for run in ranges:
        if run.first > expected:
            missing.append(Range(expected, run.first - 1))
        expected = run.last + 1
    return Check(epoch=epoch, first=ranges[0].first if ranges else 0, last=expected - 1,
                 count=sum(run.size for run in ranges), missing=tuple(missing))
