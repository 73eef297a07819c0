"""The same running system as in the chaos tests."""

from tests.chaos.conftest import system, tenant

__all__ = ["system", "tenant"]
