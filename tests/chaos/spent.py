"""Asks everything that says what a tenant spent, as its people would; answers in nano-USD."""

import asyncio
import csv
import io
import json
import os
import re
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from pyarrow import parquet

from eventing.http import decode
from functions.costs.events.facts import read
from functions.costs.questions.dimensions import BUCKETS, COARSE, FINE

NANO = 10**9
STRUCTURED = {"content-type": "application/cloudevents+json"}
CLI = (sys.executable, "-m", "eventing.cli.main")
BY = (*COARSE, *FINE, *BUCKETS, "tenant", "tag.team", "agent,tool,model,day", "task,root,session")
CSV_BY = ("agent", "tool", "model", "provider", "kind", "session", "task", "env", "outcome")


async def everything(tenant, tasks, months):
    """Return source → what it says the tenant spent of all time.

    `tasks` are all that the tenant ever ran, `months` all in which it did.
    """
    found = {}
    for part in (_ledger(tenant), _api(tenant), _tasks(tenant, tasks), _pages(tenant),
                 _events(tenant), _focus(tenant, months), _reconciled(tenant)):
        found |= await part
    return found


async def reconcile(tenant):
    """Return what `tollgate costs reconcile --json` exits with, and what it prints."""
    code, out, err = await _tollgate(tenant, "costs", "reconcile", "--json")
    assert code in (0, 1), err
    return code, json.loads(out)


async def _tollgate(tenant, *arguments):
    addresses = tenant.system.addresses
    process = await asyncio.create_subprocess_exec(
        *CLI, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "TOLLGATE_COSTS": addresses["costs"],
             "TOLLGATE_API_KEY": tenant.headers["authorization"].removeprefix("Bearer ")})
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def _reconciled(tenant):
    code, found = await reconcile(tenant)
    assert (code, found["differences"], found["unknown"], found["missing_events"]) == (
        0, {}, [], 0), found
    return {f"reconcile: {source}": nano for source, nano in found["sources"].items()}


async def _ledger(tenant):
    """Return its summary, and what its accounts have posted: read where they are kept."""
    prefix = f"lg:{{{tenant.name}}}:a:"
    posted = Counter()
    async for key in tenant.system.redis.scan_iter(f"{prefix}*", count=1000):
        scope, _, window = key.removeprefix(prefix).split("|", 2)
        posted[f"accounts: {scope} {window[0]}"] += int(
            await tenant.system.redis.hget(key, "usd.pst") or 0)
    assert {"accounts: tenant l", "accounts: tenant m", "accounts: task l"} <= posted.keys()
    return {"ledger": (await tenant.summary())["posted_nano"], **posted}


async def _api(tenant):
    found = {}
    for by in BY:
        span = _near() if by == "hour" else {}
        answer = await tenant.got("/v1/costs", at="costs", params={"group_by": by, **span})
        found[f"costs by {by}"] = answer["total_nano"]
        found[f"rows by {by}"] = sum(row["cost_nano"] for row in answer["rows"])
    units = await tenant.got("/v1/unit-costs", at="costs")
    lost = await tenant.got("/v1/unattributed", at="costs")
    now = await tenant.got("/v1/now", at="costs")
    return found | {"unit costs": units["cost_nano"], "unattributed": lost["total_nano"],
                    "now": now["posted_nano"]}


def _near():
    """Return a span that holds the whole run, and is short enough to tell hours apart."""
    today = datetime.now(UTC).date()
    return {"from": str(today - timedelta(1)), "to": str(today + timedelta(2))}


async def _tasks(tenant, tasks):
    each = [await tenant.invocations(task) for task in tasks]
    listed = await tenant.got("/v1/tasks", at="costs", params={"limit": 100})
    return {"timelines": sum(one["total_nano"] for one in each),
            "list of tasks": sum(one["cost_nano"] for one in listed["tasks"])}


async def _pages(tenant):
    """Return the figures that pages are drawn from, in their HTML, and in their CSV files."""
    page = await _text(tenant, "/spend?all=1")
    found = {"page spend": int(re.search(r'id="total"><data value="(\d+)"', page).group(1))}
    for by in CSV_BY:
        table = await _text(tenant, f"/csv/spend/by-{by}?all=1&by={by}")
        rows = list(csv.DictReader(io.StringIO(table)))
        whole = next(n for n, row in enumerate(rows) if "Total" in row.values())
        found[f"CSV by {by}"] = sum(int(row["Cost (nano-USD)"]) for row in rows[:whole])
        found[f"CSV by {by}, foot"] = int(rows[whole]["Cost (nano-USD)"])
        found[f"CSV by {by}, USD"] = _nano(rows[whole]["Cost (USD)"])
    return found


async def _text(tenant, path):
    answer = await tenant.ask("GET", path, at="costs")
    assert answer.status_code == 200, answer.text
    return answer.text


async def _events(tenant):
    """Return the sum of all raw events, each once."""
    span = {"from": "2020-01-01", "to": "2100-01-01"}
    answer = await tenant.ask("GET", "/v1/events", at="costs", params=span)
    events = [decode(STRUCTURED, line.encode()) for line in answer.text.splitlines()]
    assert len({event.id for event in events}) == len(events)
    return {"events": sum(read(event).sums.cost_nano for event in events)}


async def _focus(tenant, months):
    """Return what FOCUS files and invoices add up to; the command line checks each file's rules."""
    found = Counter()
    for month in months:
        for form in ("csv", "parquet"):
            file = tenant.system.folder / f"{tenant.name}-{month}.{form}"
            code, _, err = await _tollgate(tenant, "export", "focus", "--month", month,
                                           "--format", form, "--out", str(file))
            assert code == 0, err
            found[f"FOCUS {form}"] += _nano(*_billed(file))
        invoice = await tenant.got("/v1/export/invoice", at="costs", params={"month": month})
        found["invoice"] += _nano(invoice["total_usd"])
        found["lines of invoice"] += _nano(*(line["cost_usd"] for line in invoice["lines"]))
    return dict(found)


def _billed(file):
    if file.suffix == ".parquet":
        return parquet.read_table(file).column("BilledCost").to_pylist()
    with file.open(newline="") as text:
        return [row["BilledCost"] for row in csv.DictReader(text)]


def _nano(*amounts):
    """Return the sum of amounts in USD as nano-USD; it must be whole."""
    nano = sum(map(Decimal, amounts)) * NANO
    assert nano == int(nano), nano
    return int(nano)


def months(first, last):
    """Return the UTC months of two moments, seconds since the epoch: one, or two."""
    return sorted({datetime.fromtimestamp(at, UTC).strftime("%Y-%m") for at in (first, last)})
