"""Lays out what the script that stores an event is given, without I/O."""

import json
from collections.abc import Iterable
from functools import lru_cache

from functions.costs import keys
from functions.costs.events import sequence
from functions.costs.events.facts import Fact
from functions.costs.questions.dimensions import ALWAYS_KEPT, COARSE, MEASURES, OTHER, Coordinates
from functions.costs.sums.naming import day_number, place_name
from shared.limits import COST_ROWS_MAX

CONFLICTS_KEPT = 1_000
"""One conflict is an alarm; more than this say nothing new."""

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
        keys.of(tenant, "named"), keys.place(tenant, _place(fact)),
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
        _place(fact), fact.agent, CONFLICTS_KEPT, fact.epoch, fact.number,
        day_number(fact.at_ms), fact.session, fact.also,
        *(part for name, amount in fact.amounts.items() for part in (MEASURES[name], amount)),
    ]


def _place(fact: Fact) -> str:
    return place_name(fact.task, fact.session, fact.root)


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
