"""The HTTP API of tasks: the gateway serves it for all agents, each agent for itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from eventing import stopping
from eventing.adapter import body_of
from eventing.hints import Hints
from eventing.sse import Follower, checked_position
from eventing.submission import Origin, Submissions
from shared import limits
from shared.auth import ApiKeys, Caller
from shared.clock import Clock, rfc3339
from shared.errors import NotFound, Overloaded, Permanent
from shared.tasks.contract import WORKFLOW_STATUS, Status, TaskRequest, WorkflowRequest
from shared.tasks.reading import Query, Reader
from shared.tasks.state import TaskState, merged, preview
from shared.tasks.store import Snapshot, Tasks


class _Listing(BaseModel):
    """The query of `GET /tasks`."""

    model_config = ConfigDict(extra="forbid")
    status: Status | None = None
    agent: str | None = None
    since: float = 0.0
    until: float = float("inf")
    limit: int = Field(default=50, ge=1, le=limits.LIST_PAGE_MAX)
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class TaskApiParts:
    """What the API works with."""

    tasks: Tasks
    reader: Reader
    hints: Hints
    submissions: Submissions
    keys: ApiKeys
    agents: Sequence[str]
    """Names of the agents that tasks can be given to here."""
    clock: Clock
    waiters_max: int | None = None
    """How many requests may wait at once; beyond that, 202 at once. `None`: no bound."""
    wait_max_s: float = limits.RUN_WAIT_MAX_S


class TaskApi:
    """Endpoints of `/run` and `/tasks`; all need the right `tasks`."""

    def __init__(self, parts: TaskApiParts) -> None:
        self._p = parts
        self._waiting = 0

    def routes(self) -> list[Route]:
        """Return the API's routes."""
        return [
            Route("/run", self.run, methods=["POST"]),
            Route("/tasks", self.submit, methods=["POST"]),
            Route("/tasks", self.list, methods=["GET"]),
            Route("/tasks/{id}", self.get, methods=["GET"]),
            Route("/tasks/{id}", self.cancel, methods=["DELETE"]),
            Route("/tasks/{id}/steps", self.steps, methods=["GET"]),
            Route("/tasks/{id}/events", self.events, methods=["GET"]),
        ]

    def caller(self, request: Request) -> Caller:
        """Return who asks.

        Raises:
            Unauthorized, Forbidden: the key is unknown or lacks the right `tasks`.
        """
        caller = self._p.keys.caller(request.headers.get("authorization"))
        caller.allow("tasks")
        return caller

    def known(self, agent: str) -> None:
        """Return if tasks can be given to the agent here.

        Raises:
            NotFound: they cannot; the detail and `agents` name those they can be given to.
        """
        if agent not in self._p.agents:
            raise NotFound(f"there is no agent {agent!r}; there are: "
                           f"{', '.join(self._p.agents) or 'none'}", agents=list(self._p.agents))

    async def accepted(self, request: Request) -> tuple[Caller, TaskState]:
        """Accept the task in the request's body."""
        caller = self.caller(request)
        body = await body_of(request)
        task = task_request(body, default_agent=self._default_agent())
        self.known(task.agent)
        key = request.headers.get("idempotency-key")
        if key is not None and not 0 < len(key) <= limits.TAG_CHARS_MAX:
            raise Permanent(f"Idempotency-Key has more than {limits.TAG_CHARS_MAX} characters")
        state = await self._p.submissions.submit(task, Origin(caller.tenant, key))
        return caller, state

    def _default_agent(self) -> str | None:
        return self._p.agents[0] if len(self._p.agents) == 1 else None

    async def submit(self, request: Request) -> Response:
        """Answer 202 with the task and its address."""
        _, state = await self.accepted(request)
        return _accepted(state)

    async def run(self, request: Request) -> Response:
        """Answer 200 with the result, or 202 with the address when the time is over.

        So it is at once for a process that is asked to stop: the task goes on without it.
        """
        caller, state = await self.accepted(request)
        if self._p.waiters_max is not None and self._waiting >= self._p.waiters_max:
            return _accepted(state)
        self._waiting += 1
        try:
            ended = await self._end_of(caller.tenant, state.task.id)
        finally:
            self._waiting -= 1
        if ended is None:
            return _accepted(state)
        return JSONResponse(ended.result().model_dump(mode="json"))

    async def _end_of(self, tenant: str, task_id: str) -> TaskState | None:
        until = self._p.clock() + self._p.wait_max_s
        async with self._p.hints.waiter(tenant, task_id) as waiter:
            while True:
                snapshot = await self._found(tenant, task_id)
                if snapshot.state.status.final:
                    return snapshot.state
                left = until - self._p.clock()
                if left <= 0 or stopping.is_stopping():
                    return None
                await waiter.wait(min(left, limits.STREAM_POLL_S))

    async def list(self, request: Request) -> Response:
        """Answer a page of the tenant's tasks, newest first."""
        caller = self.caller(request)
        asked = _Listing.model_validate(dict(request.query_params))
        states, cursor = await self._p.reader.page(
            caller.tenant, Query(**{**asked.model_dump(), "agent": self._only(asked.agent)}))
        reasons = await self._p.reader.reasons(caller.tenant, states)
        return JSONResponse({"tasks": [summary(state, reasons.get(state.task.id))
                                       for state in states], "next": cursor})

    def _only(self, agent: str | None) -> str | None:
        return agent or self._default_agent()

    async def _found(self, tenant: str, task_id: str) -> Snapshot:
        snapshot = await self._p.tasks.look(tenant, task_id)
        if snapshot is None or snapshot.state.task.agent not in self._p.agents:
            raise NotFound(f"there is no task {task_id}")
        return snapshot

    async def get(self, request: Request) -> Response:
        """Answer the task with its result so far."""
        caller = self.caller(request)
        snapshot = await self._found(caller.tenant, request.path_params["id"])
        state = snapshot.state
        reasons = await self._p.reader.reasons(caller.tenant, [state])
        return JSONResponse({
            **summary(state, reasons.get(state.task.id)),
            "result": state.result().model_dump(mode="json"),
            "task": state.task.model_dump(mode="json"), "waits_for": list(snapshot.missing)})

    async def steps(self, request: Request) -> Response:
        """Answer the steps taken, with how their calls ended."""
        caller = self.caller(request)
        snapshot = await self._found(caller.tenant, request.path_params["id"])
        records = await self._p.tasks.steps(caller.tenant, snapshot.state.task.id)
        outcomes = {call_id: preview(o) for call_id, o in snapshot.results.items()}
        shown = [{**r.model_dump(mode="json", exclude={"seen"}),
                  "trace_id": r.trace_id or snapshot.state.trace_id}
                 for r in merged(records, outcomes)]
        return JSONResponse({"task_id": snapshot.state.task.id, "steps": shown})

    async def cancel(self, request: Request) -> Response:
        """Ask for the task's end: 202, or 200 with the task if it is final already."""
        caller = self.caller(request)
        found = await self._found(caller.tenant, request.path_params["id"])
        state = await self._p.submissions.cancel(
            caller.tenant, found.state.task.id, request.query_params.get("reason", "cancelled"))
        return JSONResponse(summary(state), status_code=200 if state.status.final else 202)

    async def events(self, request: Request) -> Response:
        """Answer the task's stream as server-sent events, from `Last-Event-ID` on."""
        caller = self.caller(request)
        found = await self._found(caller.tenant, request.path_params["id"])
        if self._p.waiters_max is not None and self._waiting >= self._p.waiters_max:
            raise Overloaded("too many listeners here: use the gateway")
        follower = Follower(self._p.reader, self._p.tasks, self._p.hints, caller.tenant,
                            found.state.task.id)
        lines = follower.lines(checked_position(request.headers.get("last-event-id", "0")))
        return StreamingResponse(self._counted(lines), media_type="text/event-stream",
                                 headers={"Cache-Control": "no-store"})

    async def _counted(self, lines: Any) -> Any:
        self._waiting += 1
        try:
            async for line in lines:
                yield line
        finally:
            self._waiting -= 1


_FIELDS = TypeAdapter(dict[str, Any])


def task_request(body: bytes, *, default_agent: str | None = None) -> TaskRequest:
    """Return the request in a JSON body; an agent's own API knows the agent.

    A body with `instruction` is a workflow request and is translated.

    Raises:
        ValidationError: the body does not fit; the HTTP edge answers 422 with a path per fault.
    """
    fields = _FIELDS.validate_json(body)
    if "instruction" in fields and "prompt" not in fields:
        return WorkflowRequest.model_validate(fields).task()
    if default_agent is not None:
        fields.setdefault("agent", default_agent)
    return TaskRequest.model_validate(fields)


def summary(state: TaskState, reason: str | None = None) -> dict[str, Any]:
    """Return a task as lists show it; `waiting` says what it waits for and when it looks again."""
    result = state.result()
    waiting = None if reason is None or state.wake_at is None else {
        "reason": reason, "until": rfc3339(state.wake_at)}
    return {
        "id": state.task.id, "status": state.status,
        "workflow_status": WORKFLOW_STATUS[state.status], "agent": state.task.agent,
        "session_id": state.task.session_id, "created_at": rfc3339(state.created_at),
        "updated_at": rfc3339(state.ended_at or state.created_at),
        "deadline_at": rfc3339(state.deadline_at), "steps_used": result.steps_used,
        "tokens_used": result.tokens_used, "tool_calls": result.tool_calls,
        "cost_usd": result.cost_usd, "error": result.error,
        "waiting": waiting, "trace_id": state.trace_id}


def _accepted(state: TaskState) -> Response:
    address = f"/tasks/{state.task.id}"
    return JSONResponse({**summary(state), "location": address}, status_code=202,
                        headers={"Location": address})
