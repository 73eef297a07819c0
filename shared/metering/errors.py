"""What the ledger can answer instead of a permit."""

from typing import Any

from shared.errors import NotFound, OverBudget, Permanent, Transient


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
    def need(self) -> int:
        """Return the amount asked for."""
        return int(self.extra["need"])

    @property
    def have(self) -> int:
        """Return what the account has left, open holds counted."""
        return int(self.extra["have"])

    @property
    def reason(self) -> str:
        """Return `spent` (final for this id) or `held` (ask again when holds have ended)."""
        return str(self.extra["reason"])


class Unpriced(Permanent):
    """Nobody knows the price of the model or tool: it is refused, never free."""

    title = "Unpriced"


class Ended(Permanent):
    """The reservation ended before: nothing may be called under it, ask with the next attempt."""

    title = "Reservation ended"

    def __init__(self, detail: str, *, state: str, charged_nano: int, **extra: Any) -> None:
        super().__init__(detail, state=state, charged_nano=charged_nano, **extra)
        self.state = state
        self.charged_nano = charged_nano


class Unavailable(Transient):
    """The ledger is away or has no store: nothing may be called."""

    title = "Ledger unavailable"


class Unknown(NotFound):
    """The ledger knows no reservation of that id."""

    title = "Unknown reservation"
