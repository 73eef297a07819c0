import os
import signal
import subprocess
import sys

import httpx2
import pytest

from eventing.http import encode_binary
from shared.faults import FaultPoint
from tests.integration.costs.conftest import KEY, MAIN


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


def test_task_page_leads_to_the_trace_where_traces_are_collected(started, ledger):
    process = started(TOLLGATE_TRACE_URL="https://grafana.example/trace/{trace_id}")
    process.deliver(ledger.attributed("r-1", task="t-1"))

    page = httpx2.get(f"{process.url}/tasks/t-1", headers={"authorization": f"Bearer {KEY}"})

    away = f'<a href="https://grafana.example/trace/{"a" * 32}" rel="noreferrer">{"a" * 32}</a>'
    assert away in page.text


def test_bad_address_of_traces_ends_the_start_and_is_named():
    env = {"PATH": os.environ["PATH"], "REDIS_URL": "redis://x", "LEDGER_URL": "http://x",
           "TOLLGATE_API_KEYS": "/keys", "TOLLGATE_TRACE_URL": "grafana"}

    ended = subprocess.run(
        [sys.executable, "-m", "eventing.local.serve", "--source", str(MAIN)], env=env,
        cwd=MAIN.parents[2], capture_output=True, text=True, timeout=60, check=False)

    assert ended.returncode != 0
    assert "TOLLGATE_TRACE_URL" in ended.stderr
    assert "is no address of traces, such as https://" in ended.stderr
