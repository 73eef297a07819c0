"""Counts refusals while the process lives; what ends in an event is counted by costs, too."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from shared.metering import Denied, Unpriced
from shared.metric_limits import METRIC_TENANTS_MAX

OTHER = "other"
"""Stands for every tenant beyond the bound."""


class Tally:
    """Refused reserves by tenant and reason."""

    def __init__(self) -> None:
        self.refused: Counter[tuple[str, str]] = Counter()
        self._tenants: set[str] = set()

    @contextmanager
    def watching(self, tenant: str) -> Iterator[None]:
        """Count what the block raises, and pass it on."""
        try:
            yield
        except (Denied, Unpriced) as error:
            self.count(tenant, error)
            raise

    def count(self, tenant: str, error: object) -> None:
        """Count a refusal: `spent`, `blocked`, `held`, `stopped` or `unpriced`."""
        reason = error.reason if isinstance(error, Denied) else "unpriced"
        if isinstance(error, Denied | Unpriced):
            self.refused[self._bounded(tenant), reason] += 1

    def _bounded(self, tenant: str) -> str:
        if tenant not in self._tenants and len(self._tenants) >= METRIC_TENANTS_MAX:
            return OTHER
        self._tenants.add(tenant)
        return tenant
