"""The demo, with its events on the broker that was given."""

import pytest

from tests.kafka.stories import demo_verdict

pytestmark = pytest.mark.anyio


async def test_demo_passes_every_check_on_this_broker(broker, tmp_path):
    verdict = await demo_verdict(broker, tmp_path)

    assert [name for name, holds in verdict.items() if not holds] == []
