"""Every alert has its runbook, every runbook its alert, and each says the same five things."""

import re

import pytest
import yaml

from eventing.images.closure import ROOT

RULES = sorted((ROOT / "knative" / "components" / "observability").glob("prometheusrule-*.yaml"))
RUNBOOKS = sorted(f for f in (ROOT / "docs" / "runbooks").glob("*.md") if f.stem != "README")
PARTS = ("**Means**", "**Users see**", "**Look**", "**Do**", "**Over when**")


def alerts():
    for file in RULES:
        for group in yaml.safe_load(file.read_text())["spec"]["groups"]:
            yield from (rule for rule in group["rules"] if "alert" in rule)


def test_alerts_and_runbooks_have_the_same_names():
    assert {rule["alert"] for rule in alerts()} == {file.stem for file in RUNBOOKS}


def test_alert_links_to_the_runbook_of_its_name():
    assert [rule["alert"] for rule in alerts() if rule["annotations"]["runbook_url"]
            != f"docs/runbooks/{rule['alert']}.md"] == []


@pytest.mark.parametrize("file", RUNBOOKS, ids=lambda file: file.stem)
def test_runbook_says_all_that_is_needed(file):
    text = file.read_text()
    places = [text.find(part) for part in PARTS]

    assert text.startswith(f"# {file.stem}\n")
    assert -1 not in places
    assert places == sorted(places)
    assert re.search(r"\*\*Do\*\*:\n(- |1\. )", text), "what to do is a list"
