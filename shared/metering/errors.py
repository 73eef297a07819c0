"""What the ledger can answer instead of a permit."""

from shared.amounts import amount
from shared.errors import NotFound, OverBudget, Permanent, Transient

BUDGETS = {"usd": "cost", "tok": "token", "calls": "call"}


class Denied(OverBudget):
    """No account of the call may be overdrawn, and one would be."""

    @property
    def account(self) -> str:
        """Return the account in the way, as `scope|id|window`."""
        return str(self.extra["account"])

    @property
    def unit(self) -> str:
        """Return `usd` (nano-USD), `tok` or `calls`."""
        return str(self.extra["unit"])

    @property
    def budget(self) -> str:
        """Return which budget the unit is of, in a word: `cost`, `token` or `call`."""
        return BUDGETS[self.unit]

    @property
    def shortage(self) -> str:
        """Return for people which account is in the way, what is needed and what is left."""
        return (f"account {self.account} needs {amount(self.unit, self.need)}, "
                f"has {amount(self.unit, self.have)} ({self.reason})")

    @property
    def need(self) -> int:
        """Return the amount asked for."""
        return int(self.extra["need"])

    @property
    def have(self) -> int:
        """Return what the account has left, open holds counted."""
        return int(self.extra["have"])

    @property
    def reason(self) -> str:
        """Return why: `spent` or `blocked` are final for this id, `held` is for now.

        An account is blocked after a cost above its reservation, until its limit is another one.
        `stopped` is an operator's word, for now too.
        """
        return str(self.extra["reason"])

    @property
    def policy(self) -> str:
        """Return what the limit asks for: `downgrade`, `deny` or `pause`."""
        return str(self.extra.get("policy", "deny"))

    @property
    def pauses(self) -> bool:
        """Tell whether the task is to wait for budget; nobody can raise a task's own limits."""
        return (self.policy == "pause" and self.reason != "stopped"
                and not self.account.startswith("task|"))

    @property
    def window_ends(self) -> float | None:
        """Return when the limit counts from zero again, seconds since the epoch, if ever."""
        ends = self.extra.get("window_ends")
        return None if ends is None else float(ends)

    @property
    def output_tokens_fitting(self) -> int | None:
        """Return the largest output cap that the account covers; `None` if a cap does not help."""
        fits = self.extra.get("output_tokens_fitting")
        return None if fits is None else int(fits)


class Unpriced(Permanent):
    """Nobody knows the price of the model or tool: it is refused, never free."""

    title = "Unpriced"


class Unavailable(Transient):
    """The ledger is away or has no store: nothing may be called."""

    title = "Ledger unavailable"


class Unknown(NotFound):
    """The ledger knows no reservation of that id."""

    title = "Unknown reservation"
