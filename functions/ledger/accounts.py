"""Names every account that a call is charged to, without I/O."""

from dataclasses import dataclass, replace
from functools import cached_property
from urllib.parse import quote

from functions.ledger.limits import STANDING, UNITS, Cap, Limits
from functions.ledger.windows import IDLE_TTL_S, TTL_S, Windows
from shared.auth import Grant, TaskLimits

SAFE = "/:@._-~+"
"""What stays as it is in an account's name; the rest, `|` above all, is percent-encoded."""


SET_BY_OTHERS, FROM_THE_GRANT, IN_CHUNKS, NO_MORE_CHUNKS = range(4)
"""Where limits are: beside the accounts; in the account, as the grant said; in the account, raised
chunk by chunk from a cap over tenants, which may or may not have another chunk."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account, as the scripts need it."""

    name: str
    """`scope|id|window`."""
    limits: tuple[str, str, str]
    """Hard limits of usd, tok, calls; '' is none."""
    own: int
    """Whether the account's own hash holds its limits, and why: one of the numbers below."""
    ttl_s: int
    """0: for ever; below 0: from its first use; above: from each use."""
    alerts: str

    @property
    def held(self) -> str | int:
        """Return the argument of a reserve: TTL, and what limits it if anything does."""
        if not (self.own or self.alerts or any(self.limits)):
            return self.ttl_s
        return ";".join((str(self.ttl_s), str(self.own), *self.limits, self.alerts))


@dataclass(frozen=True)
class Accounts:
    """All accounts of one call, and of any other that is charged to the same ones."""

    all: tuple[Account, ...]
    task_position: int
    """Counted from 1, as Lua does."""

    @cached_property
    def names(self) -> str:
        """Return the names joined by spaces, as the row keeps them."""
        return " ".join(account.name for account in self.all)

    @cached_property
    def held(self) -> tuple[str | int, ...]:
        """Return each account's argument of a reserve."""
        return tuple(account.held for account in self.all)

    def without_chunks(self, name: str) -> "Accounts":
        """Return the same accounts, the named one limited for good by what it has."""
        return replace(self, all=tuple(
            replace(a, own=NO_MORE_CHUNKS) if a.name == name else a for a in self.all))


def accounts_of(grant: Grant, called: str, limits: Limits, windows: Windows, *,
                flexible: bool = False) -> Accounts:
    """Return the accounts of a call; `called` is `model|<name>` or `tool|<name>`."""
    def windowed(owner: str) -> list[Account]:
        return _windowed(owner, limits, windows, flexible=flexible)

    tasks = [_task(limit) for limit in (grant.limits, *grant.ancestors)]
    standing = [
        *windowed(f"tenant|{grant.tenant}"), *windowed(f"agent|{quote(grant.agent, SAFE)}"),
        *windowed(f"session|{quote(grant.session, SAFE)}"),
    ]
    scope, _, name = called.partition("|")
    extra = windowed(f"{scope}|{quote(name, SAFE)}")
    capped = [_capped(cap, windows) for cap in limits.caps]
    return Accounts((*standing, *tasks, *extra, *capped), task_position=len(standing) + 1)


def _windowed(owner: str, limits: Limits, windows: Windows, *, flexible: bool) -> list[Account]:
    scope = owner.partition("|")[0]
    kinds = dict.fromkeys((*STANDING[scope], *limits.windows.get(owner, ())))
    found = []
    for kind in kinds:
        limited = limits.of(owner, kind, flexible=flexible)
        ttl_s = IDLE_TTL_S if scope == "session" and kind == "life" else TTL_S[kind]
        found.append(Account(f"{owner}|{windows.labels[kind]}", limited.hard, SET_BY_OTHERS, ttl_s,
                             limited.alerts))
    return found


def _task(limits: TaskLimits) -> Account:
    name = f"task|{quote(limits.task, SAFE)}|life"
    return Account(name, (str(limits.usd), str(limits.tok), ""), FROM_THE_GRANT, IDLE_TTL_S, "")


def _capped(cap: Cap, windows: Windows) -> Account:
    usd, tok, calls = ("0" if unit == cap.unit else "" for unit in UNITS)
    name = cap_account(cap, windows)
    return Account(name, (usd, tok, calls), IN_CHUNKS, TTL_S[cap.window], "")


def cap_account(cap: Cap, windows: Windows) -> str:
    """Return the name of a tenant's account under a cap; its windows are in UTC."""
    return f"platform|{cap.name}|{windows.utc[cap.window]}"
