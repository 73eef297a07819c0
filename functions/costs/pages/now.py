"""The page *Now*: what is left, what runs, what was refused, and whether anything is missing."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from functions.costs.events.facts import read
from functions.costs.events.timeline import denial, timeline
from functions.costs.pages import pace
from functions.costs.pages.pace import Pace
from functions.costs.pages.periods import today_of
from functions.costs.pages.shown import Shown
from functions.costs.pages.tables import Amount, Card, Cell, Gauge, Link, Table, columns
from functions.costs.pages.view import number, usd
from functions.costs.pages.visit import Visit
from functions.costs.questions.rows import Row
from functions.costs.trust import gaps

TASKS_SHOWN = 20
DENIALS_SHOWN = 50
HOLES_SHOWN = 20
WINDOWS = {"life": "ever", "h": "hour", "d": "day", "w": "week", "m": "month"}


async def now(visit: Visit) -> Shown:
    """Return the page."""
    store, tenant = visit.store, visit.tenant
    state, check, events, names, burnt, reasons = await asyncio.gather(
        visit.api("/v1/now", {}), gaps.report(store, tenant),
        store.recent(tenant, "denied", DENIALS_SHOWN), store.latest_tasks(tenant, TASKS_SHOWN),
        visit.rows("agent", since=pace.since(visit.now)),
        visit.rows("reason,scope,agent", today_of(visit.today), measures="denials"))
    each = await asyncio.gather(*(store.of_task(tenant, name) for name in names))
    lines = [timeline(name, its) for name, its in zip(names, each, strict=True)]
    going = Pace.of(burnt, visit.now)
    return Shown("now", "Now", _cards(state, going), [
        budgets(state, going), refused(reasons), missing(check), tasks(lines),
        denials([denial(read(event), event) for event in events])], timed=False)


def budgets(state: Mapping[str, Any], going: Pace) -> Table:
    """Return every limit as a gauge: what is posted, held and free, and how long that lasts."""
    rows: list[tuple[Cell, ...]] = [
        (f"{one['scope']} {one['id']}", WINDOWS.get(one["window"], one["window"]), gauge(one),
         *(Amount(one.get(name), one["unit"]) for name in ("posted", "held", "free", "limit")),
         Amount(going.of_budget(one), one["unit"]), going.left(one),
         "blocked" if one.get("blocked") else one.get("policy") or "")
        for one in state["budgets"] if one.get("limit") is not None]
    away = "" if state["ledger"] == "ok" else f"The ledger does not answer: {state['ledger']}"
    return Table("budgets", "Budgets", columns(
        "Budget", "Per", ("Posted and held of the limit", "gauge"), ("Posted", "amount"),
        ("Held", "amount"), ("Free", "amount"), ("Limit", "amount"), ("Per hour", "amount"),
        ("Used up in", "ms"), "At the limit"), rows, wide=True,
        note=f"Used up in: free ÷ pace. The pace of tenants and agents is that of the last "
        f"{pace.HOURS} whole hours and this one, from {pace.CALLS_MIN} calls on; of others that of "
        f"the window so far, once it lasts {pace.WINDOW_MIN_S // 60} minutes.",
        empty=away or "No budget is set: tollgate budget set …, or tollgate budget apply -f FILE.")


def gauge(budget: Mapping[str, Any]) -> Gauge:
    """Return how full a budget is."""
    said = usd if budget["unit"] == "usd" else number
    posted, held, limit = (int(budget[name] or 0) for name in ("posted", "held", "limit"))
    return Gauge(posted, held, limit, f"{said(posted)} posted, {said(held)} held, "
                 f"{said(int(budget.get('free') or 0))} free of {said(limit)}")


def refused(rows: Sequence[Row]) -> Table:
    """Return how many calls were denied today, by reason."""
    lines = sorted(((row.of["reason"] or "–", row.of["scope"] or "–", row.of["agent"] or "–",
                     row.sums.measure("denials")) for row in rows if row.sums.measure("denials")),
                   key=lambda line: -line[3])
    return Table("reasons", "Denied today, by reason", columns(
        "Reason", "Account", "Agent", ("Denials", "count")), lines,
        empty="No call was denied today.")


def tasks(lines: Sequence[Mapping[str, Any]]) -> Table:
    """Return the latest tasks."""
    rows = [(Link.to_task(line["task"]), line["agent"],
             max((e["at"] for e in (*line["invocations"], *line["denials"])), default=None),
             len(line["invocations"]), len(line["denials"]), line["total_nano"])
            for line in lines]
    return Table("tasks", "Latest tasks", columns(
        "Task", "Agent", ("Last event (UTC)", "time"), ("Calls", "count"), ("Denied", "count"),
        ("Cost", "usd")), rows, empty="No task has cost anything yet.", wide=True)


def denials(found: Sequence[Mapping[str, Any]]) -> Table:
    """Return the latest denied calls."""
    rows: list[tuple[Cell, ...]] = [
        (call["at"], Link.to_task(call["task"]), call["agent"],
         call["name"] or "–", account(call["account"]), Amount(call["need"], call["unit"]),
         Amount(call["have"], call["unit"]), call["reason"]) for call in found]
    return Table("denials", "Denied calls", columns(
        ("Time (UTC)", "time"), "Task", "Agent", "Asked for", "Account", ("Need", "amount"),
        ("Have", "amount"), "Reason"), rows, empty="No call was denied.", wide=True)


def account(name: str | None) -> str:
    """Return an account's name for people: `tenant acme, day 2026-11-21`."""
    scope, _, rest = (name or "").partition("|")
    owner, _, window = rest.partition("|")
    kind, _, label = window.partition("|")
    if not owner:
        return name or "–"
    when = f", {WINDOWS.get(kind, kind)} {label}" if label else ""
    return f"{scope} {unquote(owner)}{when}"


def missing(check: Mapping[str, Any]) -> Table:
    """Return the gap check of every epoch of the ledger's numbers."""
    rows = [(epoch["epoch"], epoch["first"], epoch["last"], epoch["count"], epoch["duplicates"],
             _holes(epoch)) for epoch in check["epochs"]]
    said = "Every number up to the last one seen has arrived." if check["gapless"] else (
        f"{check['missing_count']:,} numbers missing, {check['conflicts']} with two events.")
    return Table("gaps", "Is anything missing?", columns(
        "Epoch", ("First", "count"), ("Last", "count"), ("Arrived", "count"),
        ("Duplicates", "count"), "Missing"), rows, note=said)


def _holes(epoch: Mapping[str, Any]) -> str:
    shown = [f"{hole['first']}" + (f"–{hole['last']}" if hole["last"] != hole["first"] else "")
             for hole in epoch["missing"][:HOLES_SHOWN]]
    more = epoch["missing_ranges"] - len(shown)
    return (", ".join(shown) + (f" and {more} more ranges" if more > 0 else "")) or "none"


def _cards(state: Mapping[str, Any], going: Pace) -> list[Card]:
    holds, denied = state["open_holds"], sum(state["denials"].values())
    return [
        Card("Spent today (UTC)", state["today_nano"], "usd", name="today"),
        Card("Pace per hour", going.per_hour, "usd", name="pace"),
        Card("Open holds", holds, "count", name="holds", note="" if state["held_nano"] is None
             else f"{usd(state['held_nano'])} held"),
        Card("Denied today", denied, "count", name="denied", tone="bad" if denied else ""),
        Card("Forfeited today", state["forfeits"], "count", name="forfeits",
             note=usd(state["forfeited_nano"]), tone="bad" if state["forfeits"] else ""),
        Card("Ledger events", "✓ complete" if state["gapless"] else "✗ incomplete", "text",
             name="gapless", note="" if state["gapless"] else f"{state['gaps']:,} missing",
             tone="good" if state["gapless"] else "bad")]
