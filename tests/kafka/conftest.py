"""The broker under test, started."""

from importlib import import_module

import pytest


@pytest.fixture
async def broker(request):
    module, _, factory = request.config.getoption("--broker-under-test").partition(":")
    one = getattr(import_module(module), factory)()
    await one.start()
    yield one
    await one.stop()
