"""The HTTP side of a tool: `POST /invoke`, `GET /contract`, `GET /ready`."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, SecretStr
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from eventing.adapter import body_of
from eventing.types_tool import ToolCompleted, ToolRequested
from functions.tools.job import Job
from functions.tools.perform import Bench, Starved, answered, settled
from shared.auth import ApiKeys, Caller, Grant, TaskLimits, sign
from shared.errors import Malformed, OverBudget, Permanent, TollgateError
from shared.ids import derived
from shared.limits import ATTEMPTS_MAX, GRANT_GRACE_S, TAG_CHARS_MAX
from shared.store import mapped

_REFUSALS: dict[str, type[TollgateError]] = {
    "invalid_arguments": Permanent, "denied": OverBudget}
"""Failures that are the caller's and get a status of their own; others are data."""


class Invocation(BaseModel):
    """The body of `POST /invoke`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    arguments: dict[str, Any]


def routes(bench: Bench, keys: Callable[[], ApiKeys], grant_key: SecretStr) -> list[Route]:
    """Return the routes of a tool; `keys` is called once, at the first request that needs it."""
    loaded: list[ApiKeys] = []

    async def invoke(request: Request) -> Response:
        if not loaded:
            loaded.append(keys())
        caller = loaded[0].caller(request.headers.get("authorization"))
        caller.allow("tasks")
        job = _job(bench, caller, await _invocation(request), key=_key(request),
                   grant_key=grant_key)
        return _answer(await _invoked(bench, job))

    async def contract(_: Request) -> Response:
        return Response(bench.tool.contract.model_dump_json(), media_type="application/json")

    async def ready(_: Request) -> Response:
        with mapped():
            await bench.redis.ping()
        return JSONResponse({"status": "ok", "checks": {"redis": "ok"}})

    return [Route("/invoke", invoke, methods=["POST"]), Route("/contract", contract),
            Route("/ready", ready)]


async def _invoked(bench: Bench, job: Job) -> ToolCompleted:
    async with bench.calls.take(job.tenant, job.asked.call_id) as call:
        try:
            call = await answered(bench, call, job)
        except Starved as starved:  # nobody here waits: the same key may be asked for again
            raise OverBudget(starved.why, **starved.denied.extra) from starved
        await settled(bench, call, job)
        await bench.calls.done(call, 0)
        return ToolCompleted.model_validate_json(call.outcome)


async def _invocation(request: Request) -> Invocation:
    try:
        body = json.loads(await body_of(request))
    except ValueError as error:
        raise Malformed(f"the body is not JSON: {error}") from error
    return Invocation.model_validate(body)


def _key(request: Request) -> str:
    key = request.headers.get("idempotency-key") or str(uuid4())
    if len(key) > TAG_CHARS_MAX:
        raise Malformed(f"Idempotency-Key is longer than {TAG_CHARS_MAX} characters")
    return key


def _job(bench: Bench, caller: Caller, body: Invocation, *, key: str,
         grant_key: SecretStr) -> Job:
    """Return a job whose grant allows one run of this tool and nothing else."""
    tool, call_id = bench.tool, derived("invoke", caller.tenant, bench.tool.name, key)
    deadline = bench.clock() + tool.timeout_s
    grant = Grant(
        tenant=caller.tenant, agent="direct", session=call_id, root=call_id,
        limits=TaskLimits(task=call_id, usd=tool.price.nano * ATTEMPTS_MAX, tok=0),
        exp=int(deadline + GRANT_GRACE_S))
    asked = ToolRequested(
        call_id=call_id, tool=tool.name, version=tool.version, arguments=body.arguments, step=1,
        deadline_at=deadline)
    return Job(asked=asked, tenant=caller.tenant, task=call_id, grant=sign(grant, grant_key),
               agent_version="", trigger_source="/invoke", trigger_id=call_id)


def _answer(done: ToolCompleted) -> Response:
    refused = _REFUSALS.get(done.error.code) if done.error else None
    if refused and done.error:
        raise refused(done.error.message, code=done.error.code)
    return Response(done.model_dump_json(), media_type="application/json")
