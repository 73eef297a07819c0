"""Opens a provider's circuit when it keeps failing, so that a fallback is tried at once."""

from dataclasses import dataclass, replace

from shared.limits import BREAKER_FAILURES_MAX, BREAKER_OPEN_S


@dataclass(frozen=True, slots=True)
class Breaker:
    """The circuit of one provider: closed, open for a while, then one call tries it."""

    failures: int = 0
    """In a row."""
    open_until: float = 0.0
    """Seconds since the epoch."""

    def allows(self, now: float) -> bool:
        """Tell whether a call may be made at `now`."""
        return now >= self.open_until

    def tried(self, now: float) -> "Breaker":
        """Return the circuit as a call begins: half open, others wait for this call's end."""
        if self.failures < BREAKER_FAILURES_MAX:
            return self
        return replace(self, open_until=now + BREAKER_OPEN_S)

    def failed(self, now: float) -> "Breaker":
        """Return the circuit after a failure of the provider (not after a refused request)."""
        failures = self.failures + 1
        is_open = failures >= BREAKER_FAILURES_MAX
        return Breaker(failures, now + BREAKER_OPEN_S if is_open else 0.0)
