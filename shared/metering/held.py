"""Wraps one paid call: whatever happens inside, the hold ends."""

import logging
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

import anyio

from shared.errors import TollgateError
from shared.limits import LEDGER_TIMEOUT_S
from shared.metering.calls import Answer, Call, Charge, Hold, Settlement
from shared.metering.errors import Ended
from shared.metering.permit import Permit

if TYPE_CHECKING:
    from shared.metering.client import Meter

log = logging.getLogger(__name__)
OnAnswer = Callable[[Answer], Awaitable[None]]


class Held:
    """One open reservation, as `async with meter.reserve(call) as held`.

    The exit settles when `answered` was called; else it voids a call that never left or that the
    provider refused for free (an error whose `free` is true), and resolves any other.
    """

    def __init__(self, meter: "Meter", call: Call, on_answer: OnAnswer | None,
                 dispatch: bool) -> None:
        self._meter, self._on_answer, self._dispatch = meter, on_answer, dispatch
        self.call = call
        self.hold: Hold | None = None
        self.permit: Permit | None = None
        self.charge: Charge | None = None
        """Set at the exit of an answered call."""
        self._sent = False
        self._settlement: Settlement | None = None

    async def __aenter__(self) -> Self:
        """Reserve.

        Raises:
            Denied, Unpriced, Unavailable, Busy: as `Meter.hold`.
            Ended: the reservation ended before; ask with the next attempt.
        """
        hold = await self._meter.hold(self.call, dispatch=self._dispatch)
        if hold.state != "PENDING":
            raise Ended(f"reservation {self.call.id} is {hold.state}", state=hold.state,
                        charged_nano=hold.charged_nano)
        self.hold, self.permit = hold, hold.permit
        self._sent = self.permit is not None
        return self

    async def dispatch(self) -> Permit:
        """Return the permission to call, once.

        Raises:
            Busy: another process may call, or did; the exit resolves what is ours.
            Unavailable: the ledger is away.
        """
        if self.permit is None:
            self._sent = True  # even if the answer is lost, the ledger may have it as dispatched
            self.permit = await self._meter.dispatch(
                self.call.id, self.call.holder, grant=self.call.grant)
        return self.permit

    async def answered(self, settlement: Settlement) -> None:
        """Store the answer (`on_answer`) and let the exit settle it."""
        if self._on_answer is not None:
            await self._on_answer(settlement)
        self._settlement = settlement

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        """End the reservation, also when the surrounding work is being cancelled."""
        with anyio.CancelScope(shield=True):
            if self._settlement is not None:
                self.charge = await self._meter.settle(
                    self.call.id, self._settlement, grant=self.call.grant)
            else:
                await self._released(error)

    async def _released(self, error: BaseException | None) -> None:
        free = not self._sent or getattr(error, "free", False) is True
        ending = self._meter.void if free else self._meter.resolve
        try:
            with anyio.fail_after(2 * LEDGER_TIMEOUT_S):
                await ending(self.call.id, self.call.holder, grant=self.call.grant)
        except (TollgateError, TimeoutError) as failure:
            # What went wrong inside matters more; the lease ends the hold.
            log.warning("reservation %s is left to its lease: %s", self.call.id, failure)
