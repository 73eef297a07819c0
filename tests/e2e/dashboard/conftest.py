"""The function in a process of its own, with a ledger whose events the test makes."""

from tests.integration.costs.conftest import ledger, settings, started

__all__ = ["ledger", "settings", "started"]
