"""One running system per module; tests stay apart by tenant."""

import pytest

from tests.system import System


@pytest.fixture(scope="module")
async def system(anyio_backend, tmp_path_factory):
    async with System(tmp_path_factory.mktemp("system")) as running:
        yield running
        assert running.unexpected() == []


@pytest.fixture
def tenant(system):
    return system.tenant()
