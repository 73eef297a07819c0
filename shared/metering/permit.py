"""Proves that the ledger said: you, and only you, may now call."""

_SEAL = object()


class Permit:
    """One permission to make one call; only the metering client makes these.

    Models and tools take it as an argument, so that nothing can be called without a reservation.
    """

    __slots__ = ("reservation_id",)

    def __init__(self, reservation_id: str, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("a permit comes from Meter.dispatch, nowhere else")
        self.reservation_id = reservation_id

    def __repr__(self) -> str:
        return f"Permit({self.reservation_id})"


def issue(reservation_id: str) -> Permit:
    """Return the permit of a dispatch that succeeded; for the metering client and for tests."""
    return Permit(reservation_id, _SEAL)
