import signal

import httpx2
import pytest

from eventing.http import encode_binary
from shared.faults import FaultPoint


@pytest.mark.parametrize("point", [FaultPoint.COSTS_BEFORE_STORE, FaultPoint.COSTS_AFTER_STORE])
def test_event_is_stored_once_though_its_process_was_killed(started, ledger, tmp_path, point):
    event = ledger.attributed("r-1", cost=1500)
    headers, body = encode_binary(event)
    victim = started(TOLLGATE_FAULT=f"costs:{point}", TOLLGATE_FAULT_DIR=str(tmp_path))

    with pytest.raises(httpx2.TransportError):
        httpx2.post(victim.url, headers=headers, content=body, timeout=30)
    assert victim.stop()[0] == -signal.SIGKILL
    successor = started()
    successor.deliver(event)

    assert successor.get("/v1/costs")["rows"] == [
        {"agent": "researcher", "cost_nano": 1500, "invocations": 1, "tokens": 120}]
    assert successor.get("/v1/gaps")["gapless"]


def test_sums_are_shown_as_metrics_after_a_restart_without_an_event(started, ledger):
    first = started()
    first.deliver(ledger.attributed("r-1", cost=1500))
    first.stop()

    metrics = httpx2.get(f"{started().url}/metrics", timeout=30).text

    assert f'cost_nano_usd{{agent="researcher",tenant="{ledger.tenant}"}} 1500.0' in metrics
