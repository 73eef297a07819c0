"""Brings a tool call to its stored outcome: at most one run per key, each run reserved.

What a crash leaves is read from the row and the ledger, whose `dispatch` is the one permission to
run: a hold that was never dispatched is void and did not run; a dispatched one without an outcome
is unknown (architecture, section 5).
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any

from eventing.types_tool import ToolFailure
from functions.tools.declare import Context, Tool
from functions.tools.job import Job, hindrance, outcome
from functions.tools.run import Ran, run
from shared import gen_ai
from shared.clock import Clock
from shared.errors import Busy
from shared.faults import FaultPoint, reach
from shared.limits import (
    ATTEMPTS_MAX,
    INLINE_BYTES_MAX,
    LEASE_SLACK_S,
    POST_UNKNOWN_MAX_S,
    STATE_TTL_S,
)
from shared.metering import (
    Attribution,
    Denied,
    Meter,
    Permit,
    Settlement,
    Unknown,
    Unpriced,
)
from shared.metering import Call as Metered
from shared.store import Redis, mapped
from shared.tasks.keys import claim_check
from shared.telemetry import span, trace_id
from shared.toolcalls.rows import Call, Calls
from shared.usage import Usage

log = logging.getLogger(__name__)
_FREE_STATES = frozenset({"VOIDED", "DENIED"})
"""Ends of a reservation under which nothing ran."""


class Starved(Exception):
    """The call waits for budget; it may be asked for again, under another reservation."""

    def __init__(self, call: Call, denied: Denied) -> None:
        super().__init__(denied.detail)
        self.call, self.denied, self.why = call, denied, _denial(denied).message


@dataclass(frozen=True, slots=True)
class Bench:
    """What a tool works with in this process."""

    tool: Tool[Any]
    calls: Calls
    meter: Meter
    redis: Redis
    clock: Clock
    env: str
    context: Callable[[Job], Context[Any]]
    revision: str | None = None
    cold: Iterator[bool] = field(default_factory=lambda: chain((True,), repeat(False)))
    """Whether the call is the first of this process: the one that waited for its start."""


async def answered(bench: Bench, call: Call, job: Job) -> Call:
    """Return the call with its outcome stored, running the tool if that is still to be done.

    Raises:
        Busy: only open holds stand in the way of the price, or the call was taken over.
        Starved: a limit that pauses has no room.
        Transient: the ledger or Redis is away.
    """
    if call.outcome:
        return call
    if call.is_unknown:
        call = await _after_crash(bench, call, job)
        if call.outcome:
            return call
    failure = hindrance(bench.tool, job.asked, bench.clock())
    if failure:
        return await _failed(bench, call, job, failure)
    return await _performed(bench, call, job)


async def settled(bench: Bench, call: Call, job: Job) -> None:
    """Post what the call cost, unless it is known to be posted; safe to repeat.

    Raises:
        Transient: the ledger is away: a redelivery settles.
    """
    if call.is_settled:
        return
    settlement = Settlement(usage=Usage(basis="none"), **json.loads(call.settlement))
    try:
        await bench.meter.settle(job.reservation(call), settlement, grant=job.grant)
    except Unknown:
        await _posted(bench, call, job, settlement)


async def _posted(bench: Bench, call: Call, job: Job, settlement: Settlement) -> None:
    """Charge a run whose reservation the ledger lost, if that cannot be a second charge."""
    if bench.clock() - (settlement.started or 0) < POST_UNKNOWN_MAX_S:
        await bench.meter.post(_metered(bench, call, job), settlement)
    else:
        log.error("call %s: its reservation is unknown and too old to post", call.call_id)


async def _after_crash(bench: Bench, call: Call, job: Job) -> Call:
    """Resolve what a dead holder left; return the call ready for its next attempt, or failed."""
    try:
        end = await bench.meter.resolve(
            job.reservation(call), call.token, grant=job.grant)
        was_void = end.state in _FREE_STATES
    except Unknown:
        was_void = False  # the ledger lost the row: the run may have happened
    if was_void:
        return await bench.calls.again(call, was_void=True)
    if not bench.tool.idempotent:
        return await _failed(bench, call, job, ToolFailure(
            code="unknown_outcome", message="the run started and its outcome is unknown; it is "
            "not run again"))
    if call.runs >= ATTEMPTS_MAX:
        return await _failed(bench, call, job, ToolFailure(
            code="failed", message=f"{bench.tool.name} died in {call.runs} runs of this call"))
    return await bench.calls.again(call, was_void=False)


async def _performed(bench: Bench, call: Call, job: Job) -> Call:
    try:
        call, permit = await _held(bench, call, job)
    except Denied as denied:
        if denied.reason == "held":
            raise Busy(f"{denied.account} is held by running calls: {denied.detail}") from denied
        if denied.pauses:
            await bench.calls.again(call, was_void=False)  # a denial is final for its id
            raise Starved(call, denied) from denied
        return await _failed(bench, call, job, _denial(denied))
    except Unpriced as unpriced:
        return await _failed(bench, call, job, ToolFailure(code="denied", message=unpriced.detail))
    await reach(FaultPoint.TOOL_AFTER_RESERVE)
    call = await bench.calls.start(call)
    await reach(FaultPoint.TOOL_AFTER_START)
    return await _ran(bench, call, job, permit)


async def _held(bench: Bench, call: Call, job: Job) -> tuple[Call, Permit]:
    """Reserve the price and dispatch at once; a hold that a dead holder left is resolved first."""
    for _ in range(ATTEMPTS_MAX):
        try:
            hold = await bench.meter.hold(_metered(bench, call, job), dispatch=True)
        except Busy:
            await bench.meter.resolve(job.reservation(call), call.token, grant=job.grant)
        else:
            if hold.permit is not None:
                return call, hold.permit
        call = await bench.calls.again(call, was_void=False)
    raise Busy(f"call {call.call_id}: its reservations end before it can run")


def _metered(bench: Bench, call: Call, job: Job) -> Metered:
    return Metered(
        id=job.reservation(call), grant=job.grant, kind="tool", holder=call.token,
        lease_s=bench.tool.timeout_s + LEASE_SLACK_S, tool=bench.tool.name,
        tool_version=bench.tool.version, attribution=Attribution(
            step=job.asked.step, attempt=call.attempt, agent_version=job.agent_version,
            env=bench.env, trigger_source=job.trigger_source, trigger_id=job.trigger_id,
            cold_start=next(bench.cold), revision=bench.revision, trace_id=trace_id()))


async def _ran(bench: Bench, call: Call, job: Job, permit: Permit) -> Call:
    attributes = gen_ai.tool(bench.tool.name, job.asked.call_id) | {
        "agent.task_id": job.task, "agent.current_step": job.asked.step}
    started = bench.clock()
    with span("agent.tool_call", attributes):
        ran = await run(bench.tool, job.asked.arguments, bench.context(job), permit)
    await reach(FaultPoint.TOOL_AFTER_RUN)
    used = json.dumps({
        "started": started, "ended": bench.clock(),
        "compute_ms": ran.duration_ms, "finish_reason": "error" if ran.failure else "stop",
        "error_type": ran.failure.code if ran.failure else None})
    return await _stored(bench, call, job, ran, used=used)


async def _failed(bench: Bench, call: Call, job: Job, failure: ToolFailure) -> Call:
    return await _stored(bench, call, job, Ran(failure=failure))


async def _stored(bench: Bench, call: Call, job: Job, ran: Ran, *, used: str = "") -> Call:
    ref = await _checked_in(bench.redis, job.tenant, ran.result)
    data = outcome(job, ran, runs=call.runs, result_ref=ref).model_dump_json()
    call = await bench.calls.answer(call, data, used)
    await reach(FaultPoint.TOOL_AFTER_STORE)
    return call


async def _checked_in(redis: Redis, tenant: str, result: str | None) -> str | None:
    """Keep a large result behind a claim check and return its key; a small one travels itself."""
    if result is None or len(result.encode()) <= INLINE_BYTES_MAX:
        return None
    key = claim_check(tenant, hashlib.sha256(result.encode()).hexdigest())
    with mapped():
        await redis.set(key, result, ex=STATE_TTL_S)
    return key


def _denial(denied: Denied) -> ToolFailure:
    if denied.reason == "stopped":
        return ToolFailure(code="denied", message=denied.detail)
    return ToolFailure(code="denied",
                       message=f"{denied.budget} budget exceeded: {denied.shortage}")
