"""The same ledger events as the unit tests, and a cost store in a real Redis."""

import importlib.util
import itertools
from pathlib import Path

import pytest

from functions.costs.store import CostStore
from shared.store import connect

_AT = Path(__file__).parents[2] / "unit" / "costs" / "conftest.py"
_SPEC = importlib.util.spec_from_file_location("ledger_events", _AT)
ledger_events = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(ledger_events)
_NUMBER = itertools.count()


@pytest.fixture
def ledger():
    return ledger_events.Ledger(tenant=f"costs-{next(_NUMBER)}")


@pytest.fixture
async def redis(redis_url):
    client = connect(redis_url)
    yield client
    await client.aclose()
    await client.connection_pool.disconnect()


@pytest.fixture
def store(redis):
    return CostStore(redis)
