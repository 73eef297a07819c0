"""The functions of this machine over a broker that another process runs, spoken to over HTTP."""

import pytest

from tests.kafka.separate import SeparateBroker
from tests.kafka.stories import demo_verdict

pytestmark = pytest.mark.anyio


async def test_demo_passes_every_check_over_a_broker_elsewhere(tmp_path):
    (tmp_path / "broker").mkdir()
    broker = SeparateBroker(tmp_path / "broker")
    await broker.start()
    try:
        verdict = await demo_verdict(broker, tmp_path / "system")
    finally:
        await broker.stop()

    assert [name for name, holds in verdict.items() if not holds] == []
