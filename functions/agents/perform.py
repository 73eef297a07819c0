"""Asks the model of a step: reserve, dispatch, call, store the answer, settle.

At most one answer is paid per step; a crash at any point leaves a record that the successor goes
on from (architecture, section 5.4).
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import chain, repeat

from functions.agents import denial
from functions.agents.attempt import Attempt
from functions.agents.definition import Definition
from functions.agents.loop import Answered
from functions.agents.stops import Deferred, Paused, Stopped
from shared import gen_ai, limits
from shared.clock import Clock
from shared.errors import Busy
from shared.faults import FaultPoint, reach
from shared.ids import derived
from shared.metering import (
    Attribution,
    Call,
    Charge,
    Denied,
    Hold,
    Meter,
    Permit,
    Settlement,
    Unknown,
    Unpriced,
)
from shared.models.errors import FREE, ProviderRefused, ProviderUnknown
from shared.models.port import Model, ModelReply, ModelRequest, OnToken
from shared.tasks.claims import Claim, Fenced
from shared.tasks.contract import Status
from shared.tasks.store import Snapshot
from shared.telemetry import span, trace_id

log = logging.getLogger(__name__)

Pause = Callable[[int], Awaitable[None]]
"""Waits before the attempt of that number."""

HELD_WAITS_S = (0.2, 0.4, 0.8)
"""Waits for others' holds to end before the step is put off."""


async def jittered(number: int) -> None:
    """Wait before attempt `number` (1, 2, …): exponential from 0.5 s, full jitter, capped."""
    longest_s = min(0.5 * 2**number, limits.MODEL_WAIT_MAX_S)
    await asyncio.sleep(random.uniform(0, longest_s))  # noqa: S311 - no secret


@dataclass(frozen=True, slots=True)
class Refusal:
    """A denial, and how many this delivery has met."""

    denied: Denied
    number: int


class _Lost(Exception):
    """A predecessor dispatched this attempt and left no answer; it is paid and over."""


@dataclass(frozen=True, slots=True)
class Work:
    """One step to perform."""

    snapshot: Snapshot
    step: int
    request: ModelRequest
    trigger: tuple[str, str]
    """Source and id of the event that woke the agent."""
    on_token: OnToken


class Performer:
    """Performs steps of one agent."""

    def __init__(self, definition: Definition, model: Model, meter: Meter, *, env: str,
                 clock: Clock, pause: Pause, revision: str | None = None) -> None:
        self._definition = definition
        self._model = model
        self._meter = meter
        self._env = env
        self._clock = clock
        self._pause = pause
        self._revision = revision
        self._cold = chain((True,), repeat(False))  # the first call is of a process just started

    async def perform(self, work: Work, claim: Claim) -> tuple[Answered, Attempt]:
        """Return the step's one answer and what it cost.

        Raises:
            Stopped: the budget is spent, the model is unpriced, or three attempts failed.
            Deferred: try again later. Paused: wait for budget.
            Busy: another process has the step.
            Unavailable: the ledger is away.
        """
        attempt, denials = Attempt.of(claim.record), 0
        while attempt.answer is None:
            if attempt.attempt >= limits.ATTEMPTS_MAX:
                raise Stopped(Status.FAILED, "the model failed "
                              f"{attempt.attempt} times: {attempt.errors[-1]}")
            if claim.record != attempt.record():
                await claim.store(attempt.record())
            try:
                attempt = await self._tried(work, claim, attempt)
            except Denied as denied:
                denials += 1
                attempt = await self._less(work, claim, attempt, Refusal(denied, denials))
        return await self._settled(work, attempt), attempt

    def first(self, work: Work) -> Attempt:
        """Return what a new step asks; it is stored with the claim, for whoever comes next."""
        request = work.request
        return Attempt(
            model=request.model, requested_model=request.model,
            output_tokens_max=request.output_tokens_max,
            input_tokens_max=self._model.input_tokens_max(request))

    async def _tried(self, work: Work, claim: Claim, attempt: Attempt) -> Attempt:
        try:
            permit = await self._permit(work, claim, attempt)
            return await self._asked(work, claim, attempt, permit)
        except Unpriced as error:
            raise Stopped(Status.FAILED, error.detail) from error
        except _Lost:
            return attempt.failed("a predecessor's answer was lost", attempt.model)
        except ProviderRefused as error:
            raise Stopped(Status.FAILED, error.detail) from error
        except (*FREE, ProviderUnknown) as error:
            later = attempt.failed(error.detail, self._fallback(attempt))
            if later.attempt < limits.ATTEMPTS_MAX and later.model == attempt.model:
                await self._pause(later.attempt)
            return later

    async def _permit(self, work: Work, claim: Claim, attempt: Attempt) -> Permit:
        """Reserve and dispatch at once; what a predecessor dispatched and left is resolved."""
        call = self._call(work, claim.token, attempt)
        try:
            hold = await self._held(call)
        except Busy as error:
            # Dispatched by a predecessor, which left no answer; another's, if this is Busy too.
            await self._meter.resolve(call.id, claim.token, grant=call.grant)
            raise _Lost from error
        await reach(FaultPoint.AFTER_RESERVE)
        if hold.permit is None:
            raise _Lost
        return hold.permit

    async def _held(self, call: Call) -> Hold:
        for wait_s in (*HELD_WAITS_S, None):
            try:
                return await self._meter.hold(call, dispatch=True)
            except Denied as denied:
                if denied.reason != "held" or denied.policy == "downgrade":
                    raise  # waiting is for limits that have no other way
                if wait_s is None:
                    raise Deferred(denied.detail) from denied
                await asyncio.sleep(wait_s)
        raise AssertionError("unreachable")

    async def _asked(self, work: Work, claim: Claim, attempt: Attempt, permit: Permit) -> Attempt:
        started = self._clock()
        ended = (permit.reservation_id, claim.token)
        grant = work.snapshot.state.grant
        try:
            reply = await self._complete(work, attempt, permit)
        except FREE:
            await self._meter.void(*ended, grant=grant)
            raise
        except ProviderUnknown:
            await self._meter.resolve(*ended, grant=grant)
            raise
        answered = attempt.answered(reply, started, self._clock())
        try:
            await claim.store(answered.record())
        except Fenced:
            await self._settled(work, answered)  # fenced, but what was used is still charged
            raise
        await reach(FaultPoint.AFTER_ANSWER)
        return answered

    async def _complete(self, work: Work, attempt: Attempt, permit: Permit) -> ModelReply:
        request = ModelRequest(
            model=attempt.model, messages=work.request.messages, tools=work.request.tools,
            output_tokens_max=attempt.output_tokens_max, timeout_s=work.request.timeout_s,
            metadata=work.request.metadata)
        state = work.snapshot.state
        with span("agent.llm_call", gen_ai.chat(
                request.provider, request.name, request.output_tokens_max) | {
                    "gen_ai.agent.name": self._definition.name, "agent.task_id": state.task.id,
                    "gen_ai.conversation.id": state.task.session_id},
                is_client=True) as current:
            reply = await self._model.complete(request, permit, work.on_token)
            current.set_attributes(gen_ai.answered(reply.model, reply.finish_reason, reply.usage))
            return reply

    async def _settled(self, work: Work, attempt: Attempt) -> Answered:
        reply = attempt.reply()
        if reply is None:
            raise AssertionError("settling an attempt without an answer")
        await reach(FaultPoint.BEFORE_SETTLE)
        charge = await self._charged(work, attempt, Settlement(
            usage=reply.usage, response_model=reply.model, service_tier=reply.service_tier,
            finish_reason=reply.finish_reason, started=attempt.started_at,
            ended=attempt.ended_at, streamed=True))
        await reach(FaultPoint.AFTER_SETTLE)
        return Answered(reply, charge.total_nano)

    async def _charged(self, work: Work, attempt: Attempt, settlement: Settlement) -> Charge:
        """Settle; what the ledger has lost is posted, unless that could be a second charge."""
        ident = self._reservation(work, attempt)
        try:
            return await self._meter.settle(ident, settlement, grant=work.snapshot.state.grant)
        except Unknown:
            if self._clock() - attempt.started_at >= limits.POST_UNKNOWN_MAX_S:
                log.error("reservation %s is unknown and too old to post", ident)
                return Charge(state="SETTLED", total_nano=0, tokens=settlement.usage.total)
            return await self._meter.post(self._call(work, 0, attempt), settlement)

    async def _less(self, work: Work, claim: Claim, attempt: Attempt,
                    refusal: Refusal) -> Attempt:
        """Return a question that needs less; else the task pauses or ends, as the limit says."""
        denied, state = refusal.denied, work.snapshot.state
        cap = work.request.output_tokens_max
        asked = denial.less(attempt, denied, self._definition.cheaper_models, cap)
        if asked is not None and refusal.number <= limits.ASKS_MAX:
            return asked
        wait_s = denial.pause_s(denied, state.wakes, state.extended_s, self._clock())
        if wait_s is None:
            raise Stopped(denial.status(denied), denial.spent(denied)) from denied
        await claim.store(attempt.again(cap).record())
        raise Paused(denial.spent(denied), wait_s) from denied

    def _fallback(self, attempt: Attempt) -> str:
        """Return the next model of the agent's list, the last one again at its end."""
        models = (attempt.requested_model, *self._definition.fallbacks)
        if attempt.model not in models:
            return attempt.model  # a cheaper one: dearer ones have no room
        return models[min(models.index(attempt.model) + 1, len(models) - 1)]

    def _call(self, work: Work, holder: int, attempt: Attempt) -> Call:
        state = work.snapshot.state
        return Call(
            id=self._reservation(work, attempt), grant=state.grant, kind="llm",
            model=attempt.model, holder=holder,
            lease_s=limits.MODEL_TIMEOUT_S + limits.LEASE_SLACK_S + limits.CLAIM_LEASE_S,
            input_tokens_max=attempt.input_tokens_max,
            output_tokens_max=attempt.output_tokens_max,
            flexible=bool(denial.cheaper_than(attempt.model, self._definition.cheaper_models)),
            attribution=Attribution(
                step=work.step, attempt=attempt.attempt + 1, env=self._env,
                agent_version=self._definition.version, parent_agent=state.replyto,
                trigger_source=work.trigger[0], trigger_id=work.trigger[1], streamed=True,
                revision=self._revision, cold_start=next(self._cold), trace_id=trace_id(),
                tags=state.task.metadata,
                requested_model=attempt.requested_model,
                downgrade_reason=attempt.downgrade_reason))

    def _reservation(self, work: Work, attempt: Attempt) -> str:
        state = work.snapshot.state
        return derived(state.tenant, state.task.id, state.reopened, work.step, "model",
                       attempt.attempt, attempt.ask)
