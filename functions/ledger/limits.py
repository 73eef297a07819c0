"""The limits that a tenant set, as the ledger keeps them in memory, without I/O."""

from collections.abc import Mapping
from functools import cached_property
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from functions.ledger.windows import Window
from shared.errors import Permanent
from shared.limits import ACCOUNTS_PER_CALL_MAX, ANCESTORS_MAX

Scope = Literal["tenant", "agent", "session", "model", "tool"]
Unit = Literal["usd", "tok", "calls"]
UNITS: tuple[Unit, ...] = ("usd", "tok", "calls")
AMOUNT_MAX = 2**53 - 1
"""What a Lua number holds exactly."""

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
    policy: Literal["hard", "soft"] = "hard"
    """A soft limit alerts and refuses nothing."""
    since: float = 0
    """Seconds since the epoch: accounts that exist only for this limit count from here."""
    revision: int = 1


class Limits:
    """All limits of one tenant, at one version."""

    def __init__(self, version: str = "0", zone: str = "UTC",
                 entries: Mapping[str, Limit] | None = None) -> None:
        self.version, self.zone = version, zone
        self.entries = dict(entries or {})

    @classmethod
    def parse(cls, fields: Mapping[str, str]) -> "Limits":
        """Read the hash of a tenant's limits."""
        entries = {name: Limit.model_validate_json(text) for name, text in fields.items()
                   if "|" in name}
        return cls(fields.get("version", "0"), fields.get("zone", "UTC"), entries)

    @cached_property
    def windows(self) -> Mapping[str, tuple[str, ...]]:
        """Return the windows that limits name, by `scope|id`."""
        found: dict[str, tuple[str, ...]] = {}
        for name in self.entries:
            owner, window, _ = name.rsplit("|", 2)
            if window not in found.get(owner, ()):
                found[owner] = (*found.get(owner, ()), window)
        return found

    def of(self, owner: str, window: str) -> tuple[tuple[str, str, str], str]:
        """Return an account's hard limits by unit ('' = none) and its alerts as the scripts want.

        Alerts read `unit:limit:percent,percent;` for each unit that has any.
        """
        if window not in self.windows.get(owner, ()):
            return ("", "", ""), ""
        found = [self.entries.get(f"{owner}|{window}|{unit}") for unit in UNITS]
        usd, tok, calls = (str(x.limit) if x and x.policy == "hard" else "" for x in found)
        alerts = "".join(
            f"{unit}:{x.limit}:{','.join(str(p) for p in x.thresholds)};"
            for unit, x in zip(UNITS, found, strict=True) if x and x.thresholds)
        return (usd, tok, calls), alerts


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
    count = standing + sum(most.values()) + called
    if count > ACCOUNTS_PER_CALL_MAX:
        raise Permanent(f"with this budget a call could have {count} accounts, at most "
                        f"{ACCOUNTS_PER_CALL_MAX} are possible: remove a window first")
