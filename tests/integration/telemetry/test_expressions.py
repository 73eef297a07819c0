"""Every alert and every chart names figures that a real scrape shows, with their labels."""

import json
import re

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families as families

from eventing.http import encode_binary
from eventing.images.closure import ROOT
from eventing.task_events import completed
from shared.metering import Unpriced
from shared.tasks.contract import Status
from tests.integration.costs import conftest
from tests.integration.ledger.conftest import serving
from tests.states import state

pytestmark = pytest.mark.anyio
http, settings, redis, ledger = conftest.http, conftest.settings, conftest.redis, conftest.ledger
COMPONENT = ROOT / "knative" / "components" / "observability"
ELSEWHERE = re.compile(r"kn_serving_|kube_|up$")
"""Figures of the queue proxy, of kube-state-metrics and of Prometheus itself."""

NAMED = re.compile(r"\b((?:tollgate|gen_ai_client|kn_serving|kube)_[a-z_]+|up)\b(?:\{([^}]*)\})?")
GIVEN = {"namespace", "serving_knative_dev_service", "serving_knative_dev_revision", "pod"}
"""Labels that the PodMonitor adds."""


def alerts():
    for file in sorted(COMPONENT.glob("prometheusrule-*.yaml")):
        for group in yaml.safe_load(file.read_text())["spec"]["groups"]:
            yield from ((f"{r['alert']}-{n}", r["expr"]) for n, r in enumerate(group["rules"]))


def charts():
    for file in sorted(COMPONENT.glob("dashboards/*.json")):
        for panel in json.loads(file.read_text())["panels"]:
            for target in panel["targets"]:
                yield f"{file.stem}-{panel['id']}{target['refId']}", target["expr"]


EXPRESSIONS = [*alerts(), *charts()]


@pytest.fixture
async def scraped(http, ledger, redis_url):
    """The labels of every figure, by its name, after something of each kind has happened."""
    end = completed(state("t-9", tenant=ledger.tenant).but(status=Status.FAILED, ended_at=3.0))
    for event in (ledger.attributed("r-1"), ledger.denied("r-2"), ledger.threshold("t"), end):
        headers, body = encode_binary(event)
        assert (await http.post("/", headers=headers, content=body)).status_code == 204
    async with serving(redis_url) as money:
        with pytest.raises(Unpriced):
            await money.meter.hold(money.call(model="acme/unknown"))
        call = money.call()
        await money.meter.hold(call)
        pages = [(await client.get("/metrics")).text for client in (http, money.http)]
    found = {}
    for page in pages:
        for sample in (s for family in families(page) for s in family.samples):
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


async def test_every_figure_and_label_of_an_expression_is_scraped(scraped):
    wrong = []
    for name, expression in EXPRESSIONS:
        named = [n for n in NAMED.findall(expression) if not ELSEWHERE.match(n[0])]
        for metric, selector in named:
            labels = {part.group(1) for part in re.finditer(r"(\w+)(?:=|!)", selector)} - GIVEN
            if metric not in scraped or not labels <= scraped[metric]:
                wrong.append(f"{name}: {metric}{{{', '.join(sorted(labels))}}}")

    assert wrong == []


def test_every_expression_names_a_figure():
    assert [name for name, expression in EXPRESSIONS if not NAMED.search(expression)] == []


def test_expressions_have_their_brackets_and_their_environment():
    for name, expression in EXPRESSIONS:
        bare = re.sub(r'"[^"]*"', "", expression)
        assert all(bare.count(a) == bare.count(b) for a, b in ("()", "[]", "{}")), name
        for metric, selector in NAMED.findall(expression):
            if name.split("-")[0] not in ("CostsBehind", "BudgetDenials", "CostsAdjusted"):
                assert "namespace=" in selector, (name, metric)


def test_dashboards_are_what_grafana_imports():
    for file in sorted(COMPONENT.glob("dashboards/*.json")):
        board = json.loads(file.read_text())
        names = {one["name"] for one in board["templating"]["list"]}
        used = set(re.findall(r"\$\{?(\w+)", file.read_text())) - {"__all"}

        assert board["uid"] == f"tollgate-{file.stem}"
        assert used <= names
        assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
