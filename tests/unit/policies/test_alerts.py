"""Whoever an alert wakes finds a page that says what to do."""

import re

import pytest
import yaml

from tests.goldens import ROOT, golden

ALERTS = {rule["alert"]: rule for document in golden("prod") if document["kind"] == "PrometheusRule"
          for group in document["spec"]["groups"] for rule in group["rules"]}


@pytest.mark.parametrize("name", sorted(ALERTS))
def test_alert_has_its_runbook_and_severity(name):
    rule = ALERTS[name]

    assert rule["annotations"]["runbook_url"] == f"docs/runbooks/{name}.md"
    assert (ROOT / rule["annotations"]["runbook_url"]).is_file()
    assert rule["labels"]["severity"] in ("page", "ticket")


def test_every_runbook_has_its_alert():
    pages = {file.stem for file in (ROOT / "docs" / "runbooks").glob("*.md")} - {"README"}

    assert pages == set(ALERTS)


def test_every_alert_is_raised_by_a_case():
    text = (ROOT / "tests" / "alerts" / "cases.yaml").read_text()
    raised = {name for case in yaml.safe_load(text)["tests"]
              for asked in case["promql_expr_test"] for sample in asked["exp_samples"]
              for name in re.findall(r'alertname="(\w+)"', sample["labels"])}

    assert raised == set(ALERTS)
