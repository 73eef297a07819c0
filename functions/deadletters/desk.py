"""Takes dead letters in, answers who waits for them, sends them out again."""

import json
import logging
from dataclasses import replace

from pydantic import SecretStr

from eventing.adapter import Delivery
from eventing.event import Event
from eventing.publish import Publisher
from eventing.task_events import tool_failed
from eventing.task_failing import Failing
from eventing.types import PING
from eventing.types_tool import ToolCompleted, ToolFailure
from functions.deadletters.letter import (
    Alarm,
    AnswerCall,
    Deed,
    FailTask,
    Keep,
    Letter,
    Redrive,
    is_waited_for,
    judge,
    letter_of,
)
from functions.deadletters.shelf import Shelf
from shared import limits
from shared.auth import Grant, sign, verify
from shared.clock import Clock
from shared.errors import Unauthorized
from shared.tasks.claims import Claims
from shared.tasks.contract import Status
from shared.tasks.store import Commit, Entry, Snapshot, Tasks
from shared.toolcalls.rows import Calls

log = logging.getLogger(__name__)
NOBODY = "unknown"
"""The tenant of letters whose grant is missing or forged: administrators see them."""


class Desk:
    """The dead letters' handler; every deed may be done twice."""

    def __init__(self, shelf: Shelf, tasks: Tasks, claims: Claims, calls: Calls, *,
                 failing: Failing, publisher: Publisher, grant_key: SecretStr,
                 clock: Clock) -> None:
        self._shelf = shelf
        self._tasks = tasks
        self._claims = claims
        self._calls = calls
        self._failing = failing
        self._publisher = publisher
        self._grant_key = grant_key
        self._clock = clock

    async def __call__(self, delivery: Delivery) -> None:
        """Store a dead letter and resolve who waits for it; a timer's event redrives.

        Raises:
            Unavailable: Redis is away; the broker keeps trying.
        """
        event = delivery.event
        if event.type == PING:
            await self.redrive_due()
            return
        await self.take_in(event, unrouted=not event.type.startswith("dev.tollgate."))

    async def take_in(self, event: Event, *, unrouted: bool = False) -> Letter:
        """Store the event as a letter, then do what it needs."""
        now = self._clock()
        letter = letter_of(event, self._tenant(event), now, unrouted=unrouted)
        await self._shelf.put(letter)
        log.warning("dead letter %s: %s for %s (%s)", letter.key, letter.type,
                    letter.destination, letter.code or "no answer")
        snapshot = await self._task(letter)
        deadline = snapshot.state.deadline_at if snapshot else None
        return await self._do(letter, judge(letter, now, deadline), snapshot)

    def _tenant(self, event: Event) -> str:
        if event.type.startswith("dev.tollgate.ledger."):
            return event.get("tenantid") or NOBODY
        try:
            return verify(event.get("grant"), self._grant_key).tenant
        except Unauthorized:
            return NOBODY

    async def _task(self, letter: Letter) -> Snapshot | None:
        if letter.task is None:
            return None
        snapshot = await self._tasks.look(letter.tenant, letter.task)
        return None if snapshot is None or snapshot.state.status.final else snapshot

    async def _do(self, letter: Letter, deed: Deed, snapshot: Snapshot | None) -> Letter:
        match deed:
            case Keep():
                return letter
            case Redrive(at):
                changed = {"status": "waiting", "redrive_at": at}
            case Alarm():
                log.error("the ledger's event %s cannot be delivered", letter.event_id)
                changed = {"status": "alarm"}
            case AnswerCall():
                await self._answer(letter)
                changed = {"status": "resolved"}
            case FailTask(error):
                failed = snapshot is not None and await self._fail(snapshot, letter, error)
                changed = {"status": "resolved" if failed else "stored"}
        letter = letter.model_copy(update=changed)
        await self._shelf.put(letter)
        return letter

    async def _answer(self, letter: Letter) -> None:
        """Store an error for the tool's call, unless it has an outcome, and publish what counts."""
        event = letter.original()
        cause = f"{letter.code or 'no answer'} {letter.cause[:300]}".strip()
        never = tool_failed(event, ToolFailure(
            code="dead_letter", message=f"the tool could not be reached: {cause}"))
        unknown = tool_failed(event, ToolFailure(
            code="unknown_outcome",
            message=f"the tool was started and its outcome is unknown: {cause}"))
        outcome, _ = await self._calls.decide(
            letter.tenant, event.json()["call_id"], not_begun=_text(never), begun=_text(unknown))
        ToolCompleted.model_validate_json(outcome)
        await self._publisher.publish(replace(never, data=outcome.encode()))

    async def _fail(self, snapshot: Snapshot, letter: Letter, error: str) -> bool:
        """Fail the task unless it went on: a live claim, or a step taken since."""
        state = snapshot.state
        if await self._claims.is_held(state.tenant, state.task.id, state.step + 1):
            return False
        if not is_waited_for(letter.original(), snapshot):
            return False
        return await self._failing.fail(snapshot, error)

    async def redrive_due(self) -> int:
        """Publish again every letter whose time has come; return how many."""
        letters = await self._shelf.due(self._clock())
        for letter in letters:
            await self.redrive(letter)
        return len(letters)

    async def redrive(self, letter: Letter, *, by_hand: bool = False) -> Letter:
        """Publish the letter's event again; by hand, a task that it failed is reopened first."""
        event = letter.original().extended(redrives=letter.redrives + 1)
        if by_hand and letter.task is not None:
            event = await self._reopened(letter, event)
        await self._publisher.publish(event)
        done = letter.model_copy(update={"status": "redriven", "redrive_at": None})
        await self._shelf.put(done)
        return done

    async def _reopened(self, letter: Letter, event: Event) -> Event:
        """Return the event with a fresh grant, after opening the task that it had failed.

        A final task keeps no conversation, so it begins again: what it spent stays spent, and tools
        answer the same calls from their rows.
        """
        snapshot = await self._tasks.look(letter.tenant, letter.task or "")
        if snapshot is None or snapshot.state.status is not Status.FAILED:
            return event
        state, now = snapshot.state, self._clock()
        old = verify(state.grant, self._grant_key)
        fresh = Grant(**{**old.model_dump(), "exp": int(
            now + state.task.deadline_s + limits.GRANT_GRACE_S)})
        grant = sign(fresh, self._grant_key)
        again = state.but(
            status=Status.RUNNING, error=None, ended_at=None, grant=grant, nudges=0, hops=0,
            step=0, reopened=state.reopened + 1, extended_s=now - state.created_at)
        await self._tasks.commit(Commit(
            before=snapshot, state=again, due_at=now + limits.OVERDUE_AFTER_COMMIT_S,
            entries=[Entry("status", {"status": again.status, "reopened": again.reopened})]))
        return event.extended(grant=grant, hops=0)


def _text(event: Event) -> str:
    return json.dumps(event.json())
