"""What tests of parts over a real Redis share."""

import pytest

from shared.store import connect


@pytest.fixture
async def redis(redis_url):
    client = connect(redis_url)
    yield client
    await client.aclose()
