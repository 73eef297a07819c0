"""Works out what a file changes in what is stored, without I/O."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from functions.ledger.limits import Cap, Limit, Origin
from functions.ledger.price_table import PriceTable

Kind = Literal["added", "changed", "removed"]
ZONE, PRICES, CAPS = "zone", "prices", "caps"


@dataclass(frozen=True, slots=True)
class Section:
    """What a file wants of one tenant."""

    zone: str | None
    limits: Mapping[str, Limit]
    """By field; revision, origin and age are not the file's."""
    prices: PriceTable | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a file wants."""

    tenants: Mapping[str, Section]
    caps: Mapping[str, Cap]


@dataclass(frozen=True, slots=True)
class Change:
    """One field of a tenant's hash."""

    field: str
    before: str
    """Its text as it was read; '' if it is new."""
    after: str
    """'' if it goes."""

    @property
    def kind(self) -> Kind:
        """Return what happens."""
        return "added" if not self.before else "changed" if self.after else "removed"

    def shown(self) -> dict[str, Any]:
        """Return the change for people: what it is about, and before and after."""
        return {"field": self.field, "kind": self.kind, "before": _shown(self.field, self.before),
                "after": _shown(self.field, self.after)}


def changes(stored: Mapping[str, str], wanted: Section, *, now: float,
            origin: Origin) -> list[Change]:
    """Return what a section changes; the mounted file also removes what it made before.

    What is equal is no change: its revision stays, whoever made it.
    """
    found = [_limit(name, stored.get(name, ""), limit, now=now, origin=origin)
             for name, limit in wanted.limits.items()]
    found += _gone(stored, wanted.limits) if origin == "file" else []
    if wanted.zone is not None:
        found.append(Change(ZONE, stored.get(ZONE, ""), wanted.zone))
    if wanted.prices is not None:
        found.append(Change(PRICES, stored.get(PRICES, ""), wanted.prices.model_dump_json()))
    return [change for change in found if change.before != change.after]


def _limit(name: str, text: str, wanted: Limit, *, now: float, origin: Origin) -> Change:
    if not text:
        new = wanted.model_copy(update={"since": now, "origin": origin})
        return Change(name, "", new.stored())
    before = Limit.model_validate_json(text)
    after = wanted.model_copy(update={"since": before.since, "origin": origin or before.origin,
                                      "revision": before.revision})
    if after == before:
        return Change(name, text, text)
    later = after.model_copy(update={"revision": before.revision + 1})
    return Change(name, text, later.stored())


def _gone(stored: Mapping[str, str], wanted: Mapping[str, Limit]) -> Iterable[Change]:
    for name, text in stored.items():
        made = "|" in name and Limit.model_validate_json(text).origin == "file"
        if made and name not in wanted:
            yield Change(name, text, "")


def cap_changes(stored: Mapping[str, str], wanted: Mapping[str, Cap],
                origin: Origin) -> list[Change]:
    """Return what a file changes in the caps; the mounted file removes those it made before."""
    found = [Change(name, stored.get(name, ""), cap.model_copy(
        update={"origin": origin}).model_dump_json()) for name, cap in wanted.items()]
    found += [Change(name, text, "") for name, text in stored.items()
              if origin == "file" and name not in wanted
              and Cap.model_validate_json(text).origin == "file"]
    return [change for change in found if change.before != change.after]


def caps_after(stored: Mapping[str, str], made: Iterable[Change]) -> dict[str, tuple[Cap, ...]]:
    """Return the caps of every tenant that is, or was, under one."""
    texts = dict(stored)
    for change in made:
        texts[change.field] = change.after
    found: dict[str, tuple[Cap, ...]] = {
        tenant: () for text in stored.values() for tenant in Cap.model_validate_json(text).tenants}
    for cap in [Cap.model_validate_json(text) for _, text in sorted(texts.items()) if text]:
        for tenant in cap.tenants:
            found[tenant] = (*found.get(tenant, ()), cap)
    return found


def caps_change(stored: Mapping[str, str], caps: tuple[Cap, ...]) -> list[Change]:
    """Return the change of one tenant's own list of caps."""
    text = json.dumps([cap.model_dump(exclude={"tenants"}) for cap in caps]) if caps else ""
    change = Change(CAPS, stored.get(CAPS, ""), text)
    return [change] if change.before != change.after else []


def applied(stored: Mapping[str, str], made: Iterable[Change]) -> dict[str, str]:
    """Return the hash as it will be."""
    found = dict(stored)
    for change in made:
        found[change.field] = change.after
    return {name: text for name, text in found.items() if text}


def _shown(field: str, text: str) -> Any:
    if not text or field == ZONE:
        return text or None
    if "|" in field:
        return Limit.model_validate_json(text).model_dump(mode="json")
    found = json.loads(text)
    if field == PRICES:
        return found["label"]
    return [cap["name"] for cap in found] if field == CAPS else found
