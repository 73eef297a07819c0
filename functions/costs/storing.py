"""Lays out what the script that stores an event is given, without I/O."""

import json
from collections.abc import Iterable
from functools import lru_cache

from functions.costs import keys, sequence
from functions.costs.dimensions import ALWAYS_KEPT, COARSE, MEASURES, OTHER, Coordinates
from functions.costs.facts import Fact
from functions.costs.ranges import DAY_MS, day_of
from shared.limits import COST_ROWS_MAX

CONFLICTS_KEPT = 1_000
"""One conflict is an alarm; more than this say nothing new."""

DAY_DIGITS = 5
"""Of a day's number since 1970: enough until the year 2243."""

_LEAST = frozenset({"kind", "outcome"})


def keys_of(fact: Fact) -> list[str]:
    """Return the keys, in the script's order."""
    tenant, day, hour = fact.tenant, fact.day, fact.hour
    chunk = sequence.place(fact.number)[0]
    return [
        keys.raw(tenant), keys.numbers(tenant, fact.epoch, chunk),
        keys.chunks(tenant), keys.counts(tenant),
        keys.conflicts(tenant), keys.hour(tenant, hour), keys.days(tenant),
        keys.task(tenant, fact.task), keys.tasks(tenant), keys.kind(tenant, fact.kind),
        keys.of(tenant, "rows"), keys.of(tenant, "coords"), keys.sums(tenant, hour),
        keys.sums(tenant, day), keys.sums(tenant, day[:7]), keys.of(tenant, "places"),
        keys.of(tenant, "named"), keys.place(tenant, place_name(fact)),
        keys.dear(tenant, "place", day), keys.dear(tenant, "place", day, fact.agent),
        keys.by(tenant, "task", fact.task),
        keys.by(tenant, "session", fact.session), keys.by(tenant, "root", fact.root),
        keys.total(tenant), keys.more(tenant, hour), keys.more(tenant, day),
        keys.more(tenant, day[:7]), keys.several(tenant, "place"), keys.of(tenant, "sessions"),
        keys.several(tenant, "session"), keys.dear(tenant, "session", day),
        keys.dear(tenant, "session", day, fact.agent), keys.of(tenant, "ended"),
        keys.of(tenant, "open"), keys.of(tenant, "changed"),
    ]


def arguments(fact: Fact, packed: bytes, tag_keys: Iterable[str]) -> list[str | bytes | int]:
    """Return the arguments, in the script's order."""
    chunk, bit = sequence.place(fact.number)
    return [
        fact.id, packed, f"{fact.epoch}:{chunk}", bit, fact.day, fact.at_ms, fact.task,
        "" if fact.kind == "attributed" else fact.kind, *_names(fact, tag_keys), COST_ROWS_MAX,
        place_name(fact), fact.agent, CONFLICTS_KEPT, fact.epoch, fact.number,
        day_number(fact.at_ms), fact.session, fact.also,
        *(part for name, amount in fact.amounts.items() for part in (MEASURES[name], amount)),
    ]


def day_number(at_ms: int) -> str:
    """Return the days since 1970 as `DAY_DIGITS` digits."""
    return f"{at_ms // DAY_MS:0{DAY_DIGITS}d}"


def day_of_number(number: str) -> str:
    """Return the UTC day of such digits."""
    return day_of(int(number) * DAY_MS)


def place_name(fact: Fact) -> str:
    """Return the name of the event's place: JSON `[task, session]`, and the root if another."""
    other = [] if fact.root == fact.task else [fact.root]
    return _json([fact.task, fact.session, *other])


def session_of(place: str) -> str:
    """Return the session of a place by its name."""
    session: str = json.loads(place)[1]
    return session


def _names(fact: Fact, tag_keys: Iterable[str]) -> list[str]:
    if fact.coordinates is None:
        return ["", "", ""]
    tags = {key: fact.tags[key] for key in sorted(tag_keys) if key in fact.tags}
    values = fact.coordinates
    return [_json([*values, *([tags] if tags else [])]), *_reduced_both(values)]


@lru_cache(maxsize=1024)
def _reduced_both(values: Coordinates) -> tuple[str, str]:
    return _reduced(values, ALWAYS_KEPT), _reduced(values, _LEAST)


def _reduced(values: Iterable[str | None], kept: frozenset[str]) -> str:
    told = [value if name in kept else OTHER for name, value in zip(COARSE, values, strict=True)]
    return _json([*told, {"*": OTHER}])


_json = json.JSONEncoder(separators=(",", ":")).encode
