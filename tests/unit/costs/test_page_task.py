import pytest

from functions.costs.pages.tables import Link
from functions.costs.pages.task import _spend, trace
from functions.costs.settings import CostsSettings
from shared.settings import Misconfigured

ID = "a" * 32
NEEDED = {"REDIS_URL": "redis://x", "LEDGER_URL": "http://x", "TOLLGATE_API_KEYS": "/keys"}


def test_trace_leads_to_the_collector_or_to_the_steps():
    assert trace(ID, "https://grafana.example/explore?id={trace_id}&x={}") == Link(
        ID, f"https://grafana.example/explore?id={ID}&x={{}}")
    assert trace(ID, None) == Link(ID, "#section-steps")
    assert trace(None, "https://grafana.example/{trace_id}") is None


def test_odd_trace_id_changes_no_address():
    found = trace("../x?y=1#z", "https://grafana.example/trace/{trace_id}")

    assert found.href == "https://grafana.example/trace/..%2Fx%3Fy%3D1%23z"


@pytest.mark.parametrize("text", [
    "https://grafana.example/trace", "grafana.example/{trace_id}", "javascript:alert({trace_id})",
    "https:///{trace_id}", "{trace_id}"])
def test_address_that_leads_to_no_trace_is_refused_at_the_start(text):
    with pytest.raises(Misconfigured, match=r"TOLLGATE_TRACE_URL.*is no address of traces"):
        CostsSettings.from_env({**NEEDED, "TOLLGATE_TRACE_URL": text})


def test_address_of_traces_is_taken():
    text = "https://grafana.example/trace/{trace_id}"

    assert CostsSettings.from_env({**NEEDED, "TOLLGATE_TRACE_URL": text}).trace_url == text
    assert CostsSettings.from_env(NEEDED).trace_url is None


def test_names_on_the_way_to_a_task_stay_in_their_part_of_an_address():
    assert _spend(session="a&by=x#y z", by="task") == "/spend?session=a%26by%3Dx%23y+z&by=task"


def test_names_of_tasks_stay_one_part_of_an_address():
    assert Link.to_task("a/b?c#d").href == "/tasks/a%2Fb%3Fc%23d"
    assert Link.to_task("") is None
