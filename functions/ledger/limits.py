"""The limits that a tenant set, as the ledger keeps them in memory, without I/O."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import to_json

from functions.ledger.prices import PriceTable
from functions.ledger.windows import Window
from shared.errors import Permanent
from shared.limits import ACCOUNTS_PER_CALL_MAX, AMOUNT_MAX, ANCESTORS_MAX

Scope = Literal["tenant", "agent", "session", "model", "tool"]
Unit = Literal["usd", "tok", "calls"]
Policy = Literal["observe", "downgrade", "deny", "pause"]
"""What happens at the limit: alerts only; refusal of a caller that knows a cheaper way, and of
nobody else; refusal; refusal, and the task waits for budget."""

FIRST_NAMES: Mapping[str, str] = {"hard": "deny", "soft": "observe"}
"""What the first ledgers called policies. Redis goes on having these names, so that a ledger that
is rolled back reads every limit that it could have made itself."""


def _named(policy: Any) -> Any:
    return FIRST_NAMES.get(policy, policy) if isinstance(policy, str) else policy


StoredPolicy = Annotated[Policy, BeforeValidator(_named)]
"""A policy by its name, or by the first one."""

Origin = Literal["", "file"]
UNITS: tuple[Unit, ...] = ("usd", "tok", "calls")

STANDING: Mapping[str, tuple[str, ...]] = {
    "tenant": ("life", "m", "d"), "agent": ("life", "m", "d"), "session": ("life",),
    "model": (), "tool": ()}
"""Windows that exist for every call; others exist from the moment a limit names them."""


class Limit(BaseModel):
    """One limit of one account in one unit."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    limit: int = Field(ge=0, le=AMOUNT_MAX)
    """nano-USD, tokens or calls."""
    thresholds: tuple[int, ...] = (50, 80, 90, 100)
    """Percents of the limit that raise an alert, once per window."""
    policy: StoredPolicy = "deny"
    since: float = 0
    """Seconds since the epoch: accounts that exist only for this limit count from here."""
    revision: int = 1
    origin: Origin = ""
    """`file`: the mounted file made it, and takes it away again."""

    def stored(self) -> str:
        """Return its text in Redis."""
        first = next((old for old, new in FIRST_NAMES.items() if new == self.policy), self.policy)
        found = self.model_dump(exclude=None if self.origin else {"origin"})
        return to_json(found | {"policy": first}).decode()

    @property
    def hard(self) -> bool:
        """Tell whether the limit refuses what does not fit, whoever asks."""
        return self.policy in ("deny", "pause")


class Cap(BaseModel):
    """A limit over several tenants together; each takes of it in chunks (ADR 0026)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    window: Window
    unit: Unit
    limit: int = Field(ge=0, le=AMOUNT_MAX)
    chunk: int = Field(gt=0, le=AMOUNT_MAX)
    tenants: tuple[str, ...] = ()
    origin: Origin = ""


@dataclass(frozen=True, slots=True)
class Limited:
    """What limits one account, as the scripts want it."""

    hard: tuple[str, str, str]
    """Hard limits of usd, tok, calls; '' is none."""
    alerts: str
    """The marks, if any of them has a threshold; else ''."""
    marks: str
    """`unit:limit:percent,percent:hard;` for each unit that has a limit."""


UNLIMITED = Limited(("", "", ""), "", "")


class Limits:
    """All limits of one tenant, at one version, and what else is kept with them."""

    def __init__(self, version: str = "0", zone: str = "UTC",
                 entries: Mapping[str, Limit] | None = None, *, prices: PriceTable | None = None,
                 caps: tuple[Cap, ...] = ()) -> None:
        self.version, self.zone = version, zone
        self.entries = dict(entries or {})
        self.prices = prices
        """The tenant's own, before all list prices."""
        self.caps = caps
        """Caps over several tenants that this one is under."""
        self._found: dict[tuple[str, str, bool], Limited] = {}

    @classmethod
    def parse(cls, fields: Mapping[str, str]) -> "Limits":
        """Read the hash of a tenant's limits."""
        entries = {name: Limit.model_validate_json(text) for name, text in fields.items()
                   if "|" in name}
        prices = PriceTable.model_validate_json(fields["prices"]) if "prices" in fields else None
        caps = tuple(Cap.model_validate(cap) for cap in json.loads(fields.get("caps", "[]")))
        return cls(fields.get("version", "0"), fields.get("zone", "UTC"), entries, prices=prices,
                   caps=caps)

    @cached_property
    def windows(self) -> Mapping[str, tuple[str, ...]]:
        """Return the windows that limits name, by `scope|id`."""
        found: dict[str, tuple[str, ...]] = {}
        for name in self.entries:
            owner, window, _ = name.rsplit("|", 2)
            if window not in found.get(owner, ()):
                found[owner] = (*found.get(owner, ()), window)
        return found

    def of(self, owner: str, window: str, *, flexible: bool = False) -> "Limited":
        """Return what limits an account; a `flexible` caller has a cheaper way."""
        if window not in self.windows.get(owner, ()):
            return UNLIMITED
        key = (owner, window, flexible)
        if key not in self._found:
            self._found[key] = self._spelled(f"{owner}|{window}", flexible)
        return self._found[key]

    def _spelled(self, account: str, flexible: bool) -> "Limited":
        found = [(unit, self.entries.get(f"{account}|{unit}")) for unit in UNITS]
        usd, tok, calls = (
            str(x.limit) if x and (x.hard or (flexible and x.policy == "downgrade")) else ""
            for _, x in found)
        marks = "".join(f"{unit}:{x.limit}:{','.join(map(str, x.thresholds))}:{int(x.hard)};"
                        for unit, x in found if x)
        alerts = marks if any(x.thresholds for _, x in found if x) else ""
        return Limited((usd, tok, calls), alerts, marks)

    def policy(self, account: str, unit: str) -> Policy:
        """Return what the limit of an account, named `scope|id|window`, asks for."""
        scope, owner_id, window = account.split("|")[:3]
        entry = self.entries.get(f"{scope}|{owner_id}|{window}|{unit}")
        return entry.policy if entry else "deny"


def field(scope: str, owner_id: str, window: Window, unit: Unit) -> str:
    """Return the field of a limit in the tenant's hash."""
    return f"{scope}|{owner_id}|{window}|{unit}"


def refuse_too_many(limits: Limits) -> None:
    """Check that no call can need more accounts than one script may touch.

    Raises:
        Permanent: some call could.
    """
    most: dict[str, int] = {}
    for owner, windows in limits.windows.items():
        scope = owner.split("|", 1)[0]
        extra = len(set(windows) - set(STANDING[scope]))
        most[scope] = max(most.get(scope, 0), extra)
    standing = sum(len(windows) for windows in STANDING.values()) + 1 + ANCESTORS_MAX
    called = max(most.pop("model", 0), most.pop("tool", 0))
    count = standing + sum(most.values()) + called + len(limits.caps)
    if count > ACCOUNTS_PER_CALL_MAX:
        raise Permanent(f"with this budget a call could have {count} accounts, at most "
                        f"{ACCOUNTS_PER_CALL_MAX} are possible: remove a window first")
