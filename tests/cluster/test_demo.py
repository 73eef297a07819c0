"""The demo's task on the cluster: by CloudEvent and over HTTP."""

import time
from decimal import Decimal
from urllib.parse import urlsplit

import pytest

from eventing.cli.demo import AGENT, SOURCE, TOKENS
from eventing.cli.demo_facts import read
from eventing.cli.demo_figures import expected, figures_in
from eventing.cli.demo_system import EXAMPLES

pytestmark = pytest.mark.anyio

COLD_S = 120.0
"""Every function starts from zero, one after the other, on a busy node."""


def prompt(hook):
    return read(EXAMPLES / "prompt.txt").replace("{webhook}", hook)


async def assert_demo_done(system, tenant, task):
    """Check answer, webhook and money of a finished demo."""
    figures = expected(read(EXAMPLES / "sales.csv"), read(EXAMPLES / "report.md"))
    said = figures_in(task["result"]["output"])
    summary, _ = await tenant.books()
    by_agent, by_tool = await tenant.costs("agent"), await tenant.costs("tool")

    assert task["status"] == "completed", task
    assert set(figures.values()) <= said
    assert len(set(system.hook.keys(tenant.name))) == 1
    assert summary["posted_nano"] == by_agent["total_nano"] == by_tool["total_nano"] > 0
    assert Decimal(task["cost_usd"]) == Decimal(summary["posted_nano"]) / 10**9


async def test_event_at_the_gateway_becomes_a_task_with_answer_and_costs(system, figures):
    tenant, began = system.tenant(), time.monotonic()
    event = {"specversion": "1.0", "type": "dev.tollgate.task.submitted.v1", "source": SOURCE,
             "id": "demo-1", "datacontenttype": "application/json",
             "data": {"agent": AGENT, "prompt": prompt(system.hook.url(tenant.name)),
                      "token_budget": TOKENS}}

    answer = await tenant.ask("POST", "/events", json=event, headers={
        "content-type": "application/cloudevents+json"})
    assert answer.status_code == 202, answer.text
    task = await tenant.wait(answer.json()["id"], timeout_s=COLD_S)

    figures["demo by CloudEvent"] = f"{time.monotonic() - began:.1f} s"
    await assert_demo_done(system, tenant, task)


async def test_run_at_the_ingress_answers_with_answer_and_costs(system, figures):
    tenant, began = system.tenant(), time.monotonic()

    answer = await tenant.ask("POST", "/run", timeout=COLD_S, json={
        "agent": AGENT, "prompt": prompt(system.hook.url(tenant.name)), "token_budget": TOKENS})

    figures["demo over HTTP"] = f"{time.monotonic() - began:.1f} s"
    assert answer.status_code == 200, answer.text
    await assert_demo_done(system, tenant, await tenant.task(answer.json()["task_id"]))


async def test_gateway_is_public_and_the_ledger_is_not(system):
    tenant = system.tenant()
    public = urlsplit(system.addresses["gateway"]).hostname
    elsewhere = f"http://{public.replace('gateway', 'ledger', 1)}/v1/summary"
    # Asked at the public door, which is where the gateway's name leads.
    system.http._transport._routes[urlsplit(elsewhere).hostname] = \
        system.http._transport._routes[public]

    answer = await system.http.get(elsewhere, headers=tenant.headers)

    assert answer.status_code == 404
