"""The routes that a dashboard asks beside plain sums: tasks, unit costs, corrections, now."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from functions.costs.events.facts import read
from functions.costs.questions.dimensions import usd_text
from functions.costs.questions.question import Question, ask
from functions.costs.questions.rows import Row, total
from functions.costs.routes.api import limit_of
from functions.costs.routes.door import Door
from functions.costs.store.ends import End, told
from functions.costs.store.store import CostStore
from functions.costs.store.units import unit_costs
from functions.costs.trust import gaps
from functions.costs.trust.ledger import LedgerEvents
from shared.clock import now_s, rfc3339
from shared.errors import Transient

TASK_MEASURES = "cost_nano,invocations,tokens,failures,duration_ms,retried_nano,failed_nano"


class Views:
    """What a page shows; everything is about the caller's own tenant."""

    def __init__(self, store: CostStore, door: Door, ledger: LedgerEvents) -> None:
        self._store = store
        self._door = door
        self._ledger = ledger

    def routes(self) -> list[Route]:
        """Return the routes."""
        table = (("tasks", self.tasks), ("unit-costs", self.unit_costs),
                 ("unattributed", self.unattributed), ("corrections", self.corrections),
                 ("now", self.now))
        return [Route(f"/v1/{name}", endpoint, methods=["GET"]) for name, endpoint in table]

    async def tasks(self, request: Request) -> Response:
        """`GET /v1/tasks?from=&to=&agent=&limit=`: the dearest tasks of whole days."""
        tenant, limit = self._door.visitor(request).tenant, limit_of(request)
        asked = {k: v for k, v in request.query_params.items() if k not in ("tenant", "order")}
        question = ask({**asked, "limit": str(limit), "measures": TASK_MEASURES,
                        "group_by": "task,agent,session,root"})
        rows = await self._store.dearest(tenant, question)
        ends = await self._store.ends.of(tenant, [row.of["task"] or "" for row in rows])
        return JSONResponse({"tenant": tenant, "tasks": [
            _task(row, ends.get(row.of["task"] or "")) for row in rows]})

    async def unit_costs(self, request: Request) -> Response:
        """`GET /v1/unit-costs?from=&to=&agent=`: what a task and a session cost on average."""
        tenant = self._door.visitor(request).tenant
        asked = {k: v for k, v in request.query_params.items() if k != "tenant"}
        return JSONResponse(await unit_costs(self._store, tenant, ask(asked)))

    async def unattributed(self, request: Request) -> Response:
        """`GET /v1/unattributed?from=&to=`: costs of no task, no agent, or without reservation."""
        tenant = self._door.visitor(request).tenant
        asked = {k: v for k, v in request.query_params.items() if k in ("from", "to", "tz")}
        question = ask({**asked, "group_by": "tenant",
                        "measures": "cost_nano,unattributed_nano,unreserved_nano"})
        sums = total(await self._store.rows(tenant, question))
        lost = sums.measure("unattributed_nano")
        return JSONResponse({
            "tenant": tenant, "unattributed_nano": lost, "unattributed_usd": usd_text(lost),
            "unreserved_nano": sums.measure("unreserved_nano"), "total_nano": sums.cost_nano})

    async def corrections(self, request: Request) -> Response:
        """`GET /v1/corrections?limit=`: the latest adjustments, the newest first."""
        tenant = self._door.visitor(request).tenant
        events = await self._store.latest(tenant, "adjusted", limit_of(request))
        return JSONResponse({"corrections": [
            {"id": event.id, "at": event.time, "agent": fact.agent, "task": fact.task,
             "cost_nano": fact.sums.cost_nano, "reason": fact.data.reason}
            for event in events for fact in (read(event),)]})

    async def now(self, request: Request) -> Response:
        """`GET /v1/now`: today's denials and forfeits, the gap check, and the ledger's balances."""
        tenant = self._door.visitor(request).tenant
        today = datetime.now(UTC).date().isoformat()
        by_outcome = await self._store.rows(tenant, Question(
            ("outcome", "reason"), ask({"from": today}).span,
            measures=("cost_nano", "invocations", "denials")))
        denials = {row.of["reason"] or "": row.sums.measure("denials")
                   for row in by_outcome if row.of["outcome"] == "denied"}
        forfeits = [row.sums for row in by_outcome if row.of["outcome"] == "forfeited"]
        check = await gaps.report(self._store, tenant)
        return JSONResponse({
            "tenant": tenant, "at": rfc3339(now_s()), "denials": denials,
            "forfeits": sum(sums.invocations for sums in forfeits),
            "forfeited_nano": sum(sums.cost_nano for sums in forfeits),
            "today_nano": total(by_outcome).cost_nano, "gapless": check["gapless"],
            "gaps": check["missing_count"], **await self._balances(request)})

    async def _balances(self, request: Request) -> dict[str, Any]:
        key = self._door.key_of(request)
        try:
            summary, budgets = await asyncio.gather(
                self._ledger.summary(key), self._ledger.budgets(key))
        except Transient as error:
            return {"ledger": error.detail, "budgets": [], "open_holds": None, "held_nano": None}
        return {"ledger": "ok", "open_holds": summary["pending"], "held_nano": summary["held_nano"],
                "posted_nano": summary["posted_nano"], "budgets": budgets.get("budgets", budgets)}


def _task(row: Row, end: End | None) -> dict[str, Any]:
    return {**row.of, "cost_nano": row.sums.cost_nano, "invocations": row.sums.invocations,
            "tokens": row.sums.tokens, "failures": row.sums.measure("failures"),
            "duration_ms": row.sums.measure("duration_ms"),
            "retried_nano": row.sums.measure("retried_nano"), **told(end)}
