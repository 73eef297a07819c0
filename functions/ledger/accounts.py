"""Names every account that a call is charged to, without I/O."""

from dataclasses import dataclass
from urllib.parse import quote

from functions.ledger.limits import STANDING, Limits
from functions.ledger.windows import IDLE_TTL_S, TTL_S, Windows
from shared.auth import Grant, TaskLimits

SAFE = "/:@._-~+"
"""What stays as it is in an account's name; the rest, `|` above all, is percent-encoded."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account, as the scripts need it."""

    name: str
    """`scope|id|window`."""
    limits: tuple[str, str, str]
    """Hard limits of usd, tok, calls; '' is none."""
    own: bool
    """The limits come with the grant and are kept in the account itself."""
    ttl_s: int
    """0: for ever; below 0: from its first use; above: from each use."""
    alerts: str

    @property
    def held(self) -> str | int:
        """Return the argument of a reserve: TTL, and what limits it if anything does."""
        if not (self.own or self.alerts or any(self.limits)):
            return self.ttl_s
        return ";".join((str(self.ttl_s), str(int(self.own)), *self.limits, self.alerts))


@dataclass(frozen=True, slots=True)
class Accounts:
    """All accounts of one call."""

    all: tuple[Account, ...]
    task_position: int
    """Counted from 1, as Lua does."""

    @property
    def names(self) -> str:
        """Return the names joined by spaces, as the row keeps them."""
        return " ".join(account.name for account in self.all)


def accounts_of(grant: Grant, called: str, limits: Limits, windows: Windows) -> Accounts:
    """Return the accounts of a call; `called` is `model|<name>` or `tool|<name>`."""
    tasks = [_task(limit) for limit in (grant.limits, *grant.ancestors)]
    standing = [
        *_windowed(f"tenant|{grant.tenant}", limits, windows),
        *_windowed(f"agent|{quote(grant.agent, SAFE)}", limits, windows),
        *_windowed(f"session|{quote(grant.session, SAFE)}", limits, windows),
    ]
    scope, _, name = called.partition("|")
    extra = _windowed(f"{scope}|{quote(name, SAFE)}", limits, windows)
    return Accounts((*standing, *tasks, *extra), task_position=len(standing) + 1)


def _windowed(owner: str, limits: Limits, windows: Windows) -> list[Account]:
    scope = owner.partition("|")[0]
    kinds = dict.fromkeys((*STANDING[scope], *limits.windows.get(owner, ())))
    found = []
    for kind in kinds:
        hard, alerts = limits.of(owner, kind)
        ttl_s = IDLE_TTL_S if scope == "session" and kind == "life" else TTL_S[kind]
        found.append(Account(f"{owner}|{windows.labels[kind]}", hard, False, ttl_s, alerts))
    return found


def _task(limits: TaskLimits) -> Account:
    name = f"task|{quote(limits.task, SAFE)}|life"
    return Account(name, (str(limits.usd), str(limits.tok), ""), True, IDLE_TTL_S, "")
